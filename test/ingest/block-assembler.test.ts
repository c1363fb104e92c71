/** BlockAssembler as a table: both layouts, both orders of arrival, whatever is late, lost or twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BlockAssembler,
  CLOSE_AFTER_NS,
  DENSE_BLOCKS_MIN,
  IDENTITY_WAIT_NS,
} from '../../src/ingest/block-assembler.js';
import { BlockWitness } from '../../src/ingest/block-witness.js';
import {
  ORDER_EVENT_DOUBLES,
  ORDER_ID,
  ORDER_KIND,
  ORDER_PLACED_MS,
  OrderKind,
} from '../../src/rings/record-types.js';

const MS = 1e6;

class Rig {
  readonly assembler: BlockAssembler;
  nowNs = 1e9;
  /** Ids whose status was seen. */
  readonly known = new Set<number>();
  private told: string[] = [];

  constructor(isStreaming: boolean) {
    this.assembler = new BlockAssembler(
      {
        onBlock: (height, previous, _blockNs, _receivedNs, events, count) => {
          const orders = Array.from({ length: count }, (_, i) => {
            const at = i * ORDER_EVENT_DOUBLES;
            const isIdentified = events[at + ORDER_PLACED_MS] !== 0;
            return `${events[at + ORDER_ID]!}${isIdentified ? '!' : ''}`;
          });
          this.told.push(`${previous}>${height}: ${orders.join(' ')}`.trim());
        },
        onHole: (from, to) => void this.told.push(`hole ${from}-${to}`),
      },
      {
        identify: (event) => {
          if (!this.known.has(event[ORDER_ID]!)) return false;
          event[ORDER_PLACED_MS] = 1;
          return true;
        },
        forget: () => {},
      },
      new BlockWitness(),
      isStreaming,
    );
  }

  /** A line of diffs: positive ids are new orders, negative ones removals. */
  diffs(height: number, ...ids: number[]): boolean {
    const isWanted = this.assembler.begin(height, height * 70 * MS, this.nowNs);
    if (!isWanted) return false;
    for (const id of ids) {
      const event = new Float64Array(ORDER_EVENT_DOUBLES);
      event[ORDER_KIND] = id > 0 ? OrderKind.New : OrderKind.Remove;
      event[ORDER_ID] = Math.abs(id);
      this.assembler.add(event);
    }
    return true;
  }

  statuses(height: number, ...ids: number[]): void {
    for (const id of ids) this.known.add(id);
    this.assembler.onStatuses(height);
  }

  /** What is handed on now, or after a while. */
  close(afterNs = 0): string[] {
    this.nowNs += afterNs;
    this.assembler.close(this.nowNs);
    const { told } = this;
    this.told = [];
    return told;
  }

  finish(): string[] {
    this.assembler.finish();
    return this.close();
  }
}

type Step = (rig: Rig) => void;
type Row = readonly [what: string, steps: readonly Step[], told: readonly string[]];
const diffs =
  (height: number, ...ids: number[]): Step =>
  (rig) =>
    void rig.diffs(height, ...ids);
const statuses =
  (height: number, ...ids: number[]): Step =>
  (rig) =>
    rig.statuses(height, ...ids);
const refuse: Step = (rig) => rig.assembler.refuse();
const breakHere: Step = (rig) => rig.assembler.breakHere();
const startAfter =
  (height: number): Step =>
  (rig) =>
    rig.assembler.startAfter(height);

const BY_BLOCK: readonly Row[] = [
  ['diffs, then statuses', [diffs(5, 1, -2), statuses(5, 1)], ['4>5: 1! 2']],
  ['statuses, then diffs', [statuses(5, 1), diffs(5, 1)], ['4>5: 1!']],
  ['statuses of the block before only: it waits', [statuses(4), diffs(5, 1)], []],
  ['removals only: nothing to wait for', [diffs(5, -2, -3)], ['4>5: 2 3']],
  ['an empty block', [diffs(5)], ['4>5:']],
  ['statuses that do not name the order', [statuses(5), diffs(5, 1)], ['4>5: 1']],
  ['the next block waits behind one that waits', [diffs(5, 1), diffs(6, -2)], []],
  [
    'statuses that are ahead close all up to there',
    [diffs(5, 1), diffs(6, 2), statuses(6, 1, 2)],
    ['4>5: 1!', '5>6: 2!'],
  ],
  [
    'a height that never came is a hole, told between its neighbours',
    [diffs(5, -1), diffs(8, -2)],
    ['4>5: 1', 'hole 6-7', '5>8: 2'],
  ],
  ['a block that came twice counts once', [diffs(5, -1), diffs(5, -1)], ['4>5: 1']],
  ['a block of the past is passed over', [diffs(5, -1), diffs(4, -9)], ['4>5: 1']],
  [
    'a block up to the height of the snapshot is passed over',
    [startAfter(5), diffs(5, -1), diffs(6, -2)],
    ['5>6: 2'],
  ],
  [
    'a hole right behind the snapshot is one',
    [startAfter(5), diffs(7, -2)],
    ['hole 6-6', '5>7: 2'],
  ],
  [
    'a malformed line is a hole in its place, and those around it are whole',
    [diffs(5, -1), diffs(6, -2), refuse, diffs(7, -3)],
    ['4>5: 1', 'hole 6-6', '6>7: 3'],
  ],
  [
    'a line of unknown height breaks the newest block and the one after it',
    [diffs(5, -1), diffs(6, -2), breakHere, diffs(7, -3), diffs(8, -4)],
    ['4>5: 1', 'hole 6-6', 'hole 7-7', '7>8: 4'],
  ],
  [
    'a line of unknown height before any is told at once',
    [startAfter(5), breakHere, diffs(6, -1), diffs(7, -2)],
    ['hole 6-6', 'hole 6-6', '6>7: 2'],
  ],
];

const STREAMING: readonly Row[] = [
  [
    'rows of one height are one block, closed by a later one',
    [diffs(5, -1), diffs(5, -2), diffs(6, -3)],
    ['-1>5: 1 2'],
  ],
  ['the newest may go on', [diffs(5, -1), statuses(6)], []],
  ['diffs, then statuses', [diffs(5, 1), diffs(6, -2), statuses(6, 1)], ['-1>5: 1!']],
  ['statuses, then diffs', [statuses(6, 1), diffs(5, 1), diffs(6, -2)], ['-1>5: 1!']],
  [
    'more statuses of its height may come: it waits',
    [diffs(5, 1), diffs(6, -2), statuses(5, 1)],
    [],
  ],
  [
    'heights without a row are quiet blocks, no hole',
    [diffs(5, -1), diffs(9, -2), diffs(10, -3)],
    ['-1>5: 1', '5>9: 2'],
  ],
];

for (const [layout, rows] of [
  ['by block', BY_BLOCK],
  ['streaming', STREAMING],
] as const) {
  for (const [what, steps, told] of rows) {
    test(`BlockAssembler, ${layout}: ${what}`, () => {
      const rig = new Rig(layout === 'streaming');
      for (const step of steps) step(rig);
      assert.deepEqual(rig.close(), told);
    });
  }
}

test('BlockAssembler: statuses that do not come are waited for once, then only when they speak again', () => {
  const rig = new Rig(false);
  rig.diffs(5, 1);
  assert.deepEqual(rig.close(IDENTITY_WAIT_NS - 1), []);
  assert.deepEqual(rig.close(1), ['4>5: 1']);
  assert.equal(rig.assembler.isIdentitySourceDead, true);
  rig.diffs(6, 2);
  assert.deepEqual(rig.close(), ['5>6: 2']);
  assert.equal(rig.assembler.unidentified, 2);
  // Of the past only: still too late to be waited for.
  rig.statuses(6);
  rig.diffs(7, 3);
  assert.deepEqual(rig.close(), ['6>7: 3']);
  rig.statuses(8);
  rig.diffs(9, 4);
  assert.deepEqual(rig.close(), []);
  rig.statuses(9, 4);
  assert.deepEqual(rig.close(), ['hole 8-8', '7>9: 4!']);
});

test('BlockAssembler, streaming: a pause ends the newest block', () => {
  const rig = new Rig(true);
  rig.diffs(5, -1);
  assert.deepEqual(rig.close(CLOSE_AFTER_NS - 1), []);
  rig.diffs(5, -2);
  assert.deepEqual(rig.close(CLOSE_AFTER_NS - 1), []);
  assert.deepEqual(rig.close(1), ['-1>5: 1 2']);
});

test('BlockAssembler, streaming: a row that comes after its block was handed on is a hole, told once', () => {
  const rig = new Rig(true);
  rig.diffs(5, -1);
  assert.deepEqual(rig.close(CLOSE_AFTER_NS), ['-1>5: 1']);
  assert.equal(rig.diffs(5, -2), false);
  assert.equal(rig.diffs(5, -3), false);
  assert.deepEqual(rig.close(), ['hole 5-5']);
  assert.equal(rig.assembler.late, 2);
  rig.diffs(6, -4);
  assert.deepEqual(rig.close(CLOSE_AFTER_NS), ['5>6: 4']);
  // Late while a block is open: that one is not whole either.
  rig.diffs(7, -5);
  rig.diffs(6, -6);
  assert.deepEqual(rig.close(CLOSE_AFTER_NS), ['hole 7-7']);
});

/** Streaming, with rows of every height from 1 to `last`; all handed on and taken. */
function denseRig(last: number): Rig {
  const rig = new Rig(true);
  for (let height = 1; height <= last; height++) {
    rig.diffs(height, -height);
    rig.statuses(height);
    rig.close();
  }
  rig.close(CLOSE_AFTER_NS);
  return rig;
}

test('BlockAssembler, streaming: a height without any row is a hole where all before it had rows', () => {
  const last = DENSE_BLOCKS_MIN + 1;
  const rig = denseRig(last);
  rig.diffs(last + 2, -7);
  rig.statuses(last + 2);
  const told = rig.close(CLOSE_AFTER_NS);
  assert.deepEqual(told, [`hole ${last + 1}-${last + 1}`, `${last}>${last + 2}: 7`]);
  // From then on the stream has to show again that it is one without empty blocks.
  rig.diffs(last + 4, -8);
  rig.statuses(last + 4);
  assert.deepEqual(rig.close(CLOSE_AFTER_NS), [`${last + 2}>${last + 4}: 8`]);
});

test('BlockAssembler, streaming: a height with statuses alone is no hole, nor one amid sparse heights', () => {
  const last = DENSE_BLOCKS_MIN + 1;
  const rig = denseRig(last);
  rig.statuses(last + 1);
  rig.diffs(last + 2, -7);
  rig.statuses(last + 2);
  assert.deepEqual(rig.close(CLOSE_AFTER_NS), [`${last}>${last + 2}: 7`]);
  const sparse = denseRig(DENSE_BLOCKS_MIN - 2);
  sparse.diffs(DENSE_BLOCKS_MIN + 1, -7);
  assert.deepEqual(sparse.close(CLOSE_AFTER_NS), [
    `${DENSE_BLOCKS_MIN - 2}>${DENSE_BLOCKS_MIN + 1}: 7`,
  ]);
});

test('BlockAssembler: what is there at the end is handed on, whole or not', () => {
  const rig = new Rig(false);
  rig.diffs(5, 1);
  rig.diffs(6, -2);
  rig.assembler.refuse();
  assert.deepEqual(rig.finish(), ['4>5: 1', 'hole 6-6']);
  const streaming = new Rig(true);
  streaming.diffs(5, -1);
  assert.deepEqual(streaming.finish(), ['-1>5: 1']);
});

test('BlockAssembler: holds back a bounded number of blocks, then the oldest goes without identities', () => {
  const rig = new Rig(false);
  let handedOn: string[] = [];
  for (let height = 1; height <= 400; height++) {
    rig.diffs(height, height);
    handedOn = handedOn.concat(rig.close());
  }
  assert.equal(handedOn.length, 400 - 256);
  assert.deepEqual(handedOn.slice(0, 2), ['0>1: 1', '1>2: 2']);
});

test('BlockAssembler: a block of hundreds of changes keeps their order', () => {
  const rig = new Rig(false);
  const ids = Array.from({ length: 700 }, (_, i) => -(i + 1));
  rig.diffs(5, ...ids);
  assert.deepEqual(rig.close(), [`4>5: ${ids.map((id) => -id).join(' ')}`]);
});
