/** Plays a job: the caller hangs up as soon as the session has started, the bot leaves, the callbacks run. */

import { EventEmitter } from 'node:events';

const clientInitiated = 1;

class Agent {}

class AgentSession extends EventEmitter {
  async start() {
    setImmediate(() => this.emit('close', { reason: 'participant_disconnected' }));
  }
}

export const voice = { Agent, AgentSession };

export function defineAgent(agent) {
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret } = process.env;
  const callbacks = [];
  const room = Object.assign(new EventEmitter(), { name: 'call', remoteParticipants: new Map() });
  void agent.entry({
    info: { url, apiKey, apiSecret },
    job: { room: { name: 'call' } },
    room,
    connect: async () => {},
    addShutdownCallback: (callback) => callbacks.push(callback),
    shutdown: async () => {
      room.emit('disconnected', clientInitiated);
      await Promise.all(callbacks.map((callback) => callback()));
      process.exit();
    },
  });
  return agent;
}
