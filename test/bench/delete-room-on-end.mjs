/** What `deleteRoomOnEnd` costs for each value that passes before the end, beside an empty subscription. */

import { deleteRoomOnEnd } from 'endframe/livekit';
import { NEVER, Subject } from 'rxjs';
import { measure, median } from './measure.mjs';
import { judged, noted, report } from './report.mjs';
import { textFrames } from './rows.mjs';

const count = 200_000;
const frames = textFrames(count);

const bare = new Subject();
bare.subscribe();

/** @type {Subject<import('endframe').Frame>} */
const watched = new Subject();
deleteRoomOnEnd(watched, () => NEVER).subscribe();

/** @param {{ next(frame: unknown): void }} subject */
const send = async (subject) => {
  for (const frame of frames) subject.next(frame);
};

const samples = await measure([
  { name: 'bare', run: () => send(bare) },
  { name: 'watched', run: () => send(/** @type {{ next(frame: unknown): void }} */ (watched)) },
]);
/** @param {string} name */
const eachUs = (name) => (median(samples(name)) * 1_000) / count;
const costUs = eachUs('watched') - eachUs('bare');
/** @param {number} us */
const micros = (us) => `${us.toFixed(3)} µs`;

report([
  noted('a value through an empty subscription', micros(eachUs('bare'))),
  judged({
    what: 'deleteRoomOnEnd, more per value that passes',
    measured: micros(costUs),
    value: costUs,
    must: 0.2,
    goal: 0.2,
    limit: micros,
    better: 'less',
  }),
]);
