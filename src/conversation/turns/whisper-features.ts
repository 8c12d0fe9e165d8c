/** The log-mel spectrogram that Whisper's encoder takes, of 8 s of sound. */

import { Fourier } from '../../audio/fourier.ts';

/** The sample rate, in hertz. */
export const featureSampleRate = 16_000;
/** 8 s. */
export const featureSamples = 128_000;
/** Bands of the mel scale: the rows of a spectrogram. */
export const melBands = 80;
/** Pieces of 10 ms: the columns of a spectrogram. */
export const melColumns = 800;

const windowSamples = 400;
const hopSamples = 160;
const bins = windowSamples / 2 + 1;
const fullScale = 32_768;
const varianceOfSilence = 1e-7;
const lowestEnergy = 1e-10;
/** What is further below the loudest point is raised to this: 80 dB. */
const rangeDecades = 8;
const { fround } = Math;

/**
 * Normalises the sound to a mean of 0 and a variance of 1; then power spectrum, mel bands, logarithm.
 *
 * @param samples 16-bit mono at {@link featureSampleRate}. Of more than 8 s the last count; less is preceded by silence.
 * @returns {@link melBands} rows of {@link melColumns} values, bit for bit those of Pipecat.
 * @see Hugging Face `WhisperFeatureExtractor` with `chunk_length=8` and `do_normalize=True`
 */
export function whisperFeatures(samples: Int16Array): Float32Array<ArrayBuffer> {
  const sound = mirroredAtItsEnds(normalised(samples.subarray(-featureSamples)));
  const energies = new Float64Array(melBands * melColumns);
  for (let column = 0; column < melColumns; column += 2) {
    powerOfTwo(sound, column * hopSamples);
    writeBands(energies, column, firstPower);
    writeBands(energies, column + 1, secondPower);
  }
  return logarithmic(energies);
}

/**
 * The silence before counts in the mean and the variance.
 *
 * In single precision and in NumPy's order, step by step: the model is quantised, so that the last bit of a feature can
 * move the probability by more than 0.1.
 */
function normalised(samples: Int16Array): Float32Array {
  const sound = new Float32Array(featureSamples);
  const from = featureSamples - samples.length;
  for (let index = 0; index < samples.length; index += 1) {
    sound[from + index] = (samples[index] as number) / fullScale;
  }
  const mean = fround(sumOf(sound, 0, featureSamples) / featureSamples);
  const squares = new Float32Array(featureSamples);
  for (let index = 0; index < featureSamples; index += 1) {
    sound[index] = (sound[index] as number) - mean;
    squares[index] = (sound[index] as number) ** 2;
  }
  const variance = fround(sumOf(squares, 0, featureSamples) / featureSamples);
  const deviation = fround(Math.sqrt(fround(variance + fround(varianceOfSilence))));
  for (let index = 0; index < featureSamples; index += 1) {
    sound[index] = (sound[index] as number) / deviation;
  }
  return sound;
}

const lanes = new Float32Array(8);

/** Halves are added, down to blocks of at most 128 values; in those every eighth value is added to one of eight sums. */
function sumOf(values: Float32Array, from: number, count: number): number {
  if (count > 128) {
    const half = Math.floor(count / 16) * 8;
    return fround(sumOf(values, from, half) + sumOf(values, from + half, count - half));
  }
  lanes.fill(0);
  for (let index = 0; index < count; index += 1) {
    lanes[index % 8] = (lanes[index % 8] as number) + (values[from + index] as number);
  }
  for (let distance = 1; distance < 8; distance *= 2) {
    for (let lane = 0; lane < 8; lane += 2 * distance) {
      lanes[lane] = (lanes[lane] as number) + (lanes[lane + distance] as number);
    }
  }
  return lanes[0] as number;
}

/** The first window is centred on the first sample, so that half of it is before the sound. */
function mirroredAtItsEnds(sound: Float32Array): Float32Array {
  const margin = windowSamples / 2;
  const wider = new Float32Array(sound.length + 2 * margin);
  wider.set(sound, margin);
  wider.set(sound.slice(1, margin + 1).reverse(), 0);
  wider.set(sound.slice(-margin - 1, -1).reverse(), margin + sound.length);
  return wider;
}

const hannWindow = Float64Array.from(
  { length: windowSamples },
  (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / windowSamples),
);
const fourier = new Fourier(windowSamples);
const firstPower = new Float64Array(bins);
const secondPower = new Float64Array(bins);

/**
 * Computes `firstPower` and `secondPower`, of the windows at `from` and one hop later, by one transform: one window is
 * the real part of its input, the other one the imaginary part.
 */
function powerOfTwo(sound: Float32Array, from: number): void {
  for (let index = 0; index < windowSamples; index += 1) {
    const weight = hannWindow[index] as number;
    fourier.re[index] = (sound[from + index] as number) * weight;
    fourier.im[index] = (sound[from + hopSamples + index] as number) * weight;
  }
  fourier.transform();
  const { re, im } = fourier;
  for (let bin = 0; bin < bins; bin += 1) {
    const mirror = bin === 0 ? 0 : windowSamples - bin;
    const reSum = (re[bin] as number) + (re[mirror] as number);
    const reDifference = (re[bin] as number) - (re[mirror] as number);
    const imSum = (im[bin] as number) + (im[mirror] as number);
    const imDifference = (im[bin] as number) - (im[mirror] as number);
    firstPower[bin] = (reSum ** 2 + imDifference ** 2) / 4;
    secondPower[bin] = (imSum ** 2 + reDifference ** 2) / 4;
  }
}

/** One band of the mel scale: the weights of the bins from `firstBin` on. */
interface MelBand {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

/** Triangles over three neighbours of a row of frequencies, each with the same area. */
const bands: readonly MelBand[] = Array.from({ length: melBands }, (_, band) => {
  const step = melOf(featureSampleRate / 2) / (melBands + 1);
  const [low, peak, high] = [hertzOf(band * step), hertzOf((band + 1) * step), hertzOf((band + 2) * step)];
  const weights = Float64Array.from({ length: bins }, (_, bin) => {
    const hertz = (bin * featureSampleRate) / windowSamples;
    const height = Math.min((hertz - low) / (peak - low), (high - hertz) / (high - peak));
    return (Math.max(0, height) * 2) / (high - low);
  });
  const firstBin = weights.findIndex((weight) => weight > 0);
  return { firstBin, weights: weights.slice(firstBin, weights.findLastIndex((weight) => weight > 0) + 1) };
});

/** Slaney's scale: linear up to 1,000 Hz, logarithmic above. */
function melOf(hertz: number): number {
  return hertz < 1_000 ? (3 * hertz) / 200 : 15 + (27 * Math.log(hertz / 1_000)) / Math.log(6.4);
}

function hertzOf(mel: number): number {
  return mel < 15 ? (200 * mel) / 3 : 1_000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27);
}

function writeBands(energies: Float64Array, column: number, power: Float64Array): void {
  for (let band = 0; band < melBands; band += 1) {
    const { firstBin, weights } = bands[band] as MelBand;
    let energy = 0;
    for (let index = 0; index < weights.length; index += 1) {
      energy += (weights[index] as number) * (power[firstBin + index] as number);
    }
    energies[band * melColumns + column] = energy;
  }
}

function logarithmic(energies: Float64Array): Float32Array<ArrayBuffer> {
  let loudest = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < energies.length; index += 1) {
    const decades = Math.log10(Math.max(lowestEnergy, energies[index] as number));
    energies[index] = decades;
    loudest = Math.max(loudest, decades);
  }
  const features = new Float32Array(energies.length);
  for (let index = 0; index < energies.length; index += 1) {
    features[index] = (Math.max(energies[index] as number, loudest - rangeDecades) + 4) / 4;
  }
  return features;
}
