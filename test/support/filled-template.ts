/** What a template's pseudo parameters and resources are once it is deployed, such as `AWS::Region` or `Bucket.Arn`. */
export type Deployed = Readonly<Record<string, string>>;

/** Does for a template what CloudFormation does when it is deployed. Throws where it does not know a name. */
export function filled(value: unknown, deployed: Deployed): unknown {
  const lookup = (name: string): string => {
    const found = deployed[name];
    if (found === undefined) throw new Error(`the template names ${name}, which is not known`);
    return found;
  };
  const fill = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(fill);
    if (typeof each !== 'object' || each === null) return each;
    const entries = Object.entries(each);
    const [[name, of] = ['', undefined]] = entries;
    if (name === 'Ref') return lookup(String(of));
    if (name === 'Fn::GetAtt') return lookup((of as string[]).join('.'));
    if (name === 'Fn::Sub')
      return String(of).replaceAll(/\$\{([\w.:]+)\}/g, (_all, variable: string) => lookup(variable));
    if (name === 'Fn::Join') {
      const [separator, parts] = of as [string, unknown[]];
      return parts.map(fill).join(separator);
    }
    return Object.fromEntries(entries.map(([key, inside]) => [key, fill(inside)]));
  };
  return fill(value);
}
