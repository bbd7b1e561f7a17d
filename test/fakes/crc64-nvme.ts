const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

/** For each byte the upper and the lower half of what it adds. */
const TABLE = Uint32Array.from({ length: 512 }, (_, at) => {
  let crc = BigInt(at >> 1);
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ POLYNOMIAL : crc >> 1n;
  return Number(at % 2 === 0 ? crc >> 32n : crc & 0xffffffffn);
});

/** CRC-64/NVME as S3 has it: base64 of 8 bytes, the highest first. */
export function base64Crc64(body: Uint8Array): string {
  let [high, low] = [-1, -1];
  for (const byte of body) {
    const at = ((low ^ byte) & 0xff) * 2;
    low = ((low >>> 8) | (high << 24)) ^ (TABLE[at + 1] ?? 0);
    high = (high >>> 8) ^ (TABLE[at] ?? 0);
  }
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(~high, 0);
  bytes.writeInt32BE(~low, 4);
  return bytes.toString('base64');
}
