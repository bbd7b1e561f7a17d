import { template } from '../../../protocols/_template/template.ts';
import { behavesLikeAProtocol } from '../../conformance/behaves-like-a-protocol.ts';
import { rows } from '../../support/canton-facts.ts';

behavesLikeAProtocol(template, {
  node: { blocks: rows({ number: '12' }), indexer_cursor: [] },
  indexer: { blocks: [], indexer_cursor: rows({ block: '11' }) },
});
