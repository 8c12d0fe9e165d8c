import { describe, expect, it } from 'vitest';
import { type DeleteWhen, isDeletable, isHuman, othersInside } from '../../src/rooms/delete-when.ts';
import type { ListedParticipant } from '../../src/rooms/rest/room-rest.ts';
import { listedParticipant } from '../support/listed-participant.ts';

function participant(fields: Partial<ListedParticipant>): ListedParticipant {
  return listedParticipant('someone', { isAgent: fields.kind === 'AGENT', ...fields });
}

const ada = participant({ identity: 'ada' });
const phone = participant({ kind: 'SIP' });
const agent = participant({ kind: 'AGENT' });
const grantedAgent = participant({ isAgent: true });
const egress = participant({ kind: 'EGRESS' });
const recorder = participant({ isRecorder: true });

function decide(deleteWhen: DeleteWhen, inside: readonly ListedParticipant[]): Promise<boolean> {
  const { signal } = new AbortController();
  return isDeletable(deleteWhen, {
    roomName: 'r',
    trigger: 'end',
    signal,
    listParticipants: async () => inside,
  });
}

describe('isDeletable', () => {
  it.each([
    ['always', [ada], true],
    ['never', [], false],
    ['no-humans-left', [], true],
    ['no-humans-left', [agent, grantedAgent, egress, recorder], true],
    ['no-humans-left', [agent, ada], false],
    ['no-humans-left', [phone], false],
    ['no-agents-left', [], true],
    ['no-agents-left', [ada, phone, egress], true],
    ['no-agents-left', [ada, agent], false],
    ['no-agents-left', [grantedAgent], false],
  ] as const)('%s: %#', async (policy, inside, expected) => {
    expect(await decide(policy, inside)).toBe(expected);
  });

  it('keeps the room only for a function that says false', async () => {
    expect(await decide(async () => false, [])).toBe(false);
    expect(await decide(() => true, [])).toBe(true);
    expect(await decide((() => undefined) as unknown as DeleteWhen, [])).toBe(true);
  });

  it('tells the function what there is to know', async () => {
    const deleteWhen: DeleteWhen = async ({ roomName, trigger, listParticipants }) =>
      roomName === 'r' && trigger === 'end' && (await listParticipants()).length === 2;
    expect(await decide(deleteWhen, [ada, agent])).toBe(true);
    expect(await decide(deleteWhen, [ada])).toBe(false);
  });
});

describe('othersInside', () => {
  it('leaves out who has left and the bot itself', () => {
    const gone = participant({ state: 'DISCONNECTED' });
    const joining = participant({ state: 'JOINING' });
    expect(othersInside([gone, joining, ada], { ownIdentity: 'ada' })).toEqual([joining]);
    expect(othersInside([ada], {})).toEqual([ada]);
  });

  it('knows the bot by its sid, so that a successor under the same identity is somebody else', () => {
    const bot = participant({ identity: 'bot', sid: 'PA_1' });
    const successor = participant({ identity: 'bot', sid: 'PA_2' });
    expect(othersInside([bot], { ownIdentity: 'bot', ownSid: 'PA_1' })).toEqual([]);
    expect(othersInside([successor], { ownIdentity: 'bot', ownSid: 'PA_1' })).toEqual([successor]);
    expect(othersInside([bot, ada], { ownSid: 'PA_1' })).toEqual([ada]);
  });
});

describe('isHuman', () => {
  it.each([
    [ada, true],
    [phone, true],
    [participant({ kind: 'CONNECTOR' }), true],
    [agent, false],
    [grantedAgent, false],
    [egress, false],
    [participant({ kind: 'INGRESS' }), false],
    [recorder, false],
  ])('%#', (who, expected) => {
    expect(isHuman(who)).toBe(expected);
  });
});
