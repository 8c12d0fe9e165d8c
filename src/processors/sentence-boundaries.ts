/** Where a sentence ends: at punctuation, unless an abbreviation, an initial, a number or a quotation goes on. */

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}

/** Titles, with a capital letter: a name follows. */
const titles = words(`
  dr mr mrs ms messrs prof gen col maj capt cmdr lt sgt cpl gov sen rep rev hon pres supt mt ft
  hr fr frl dipl ing mme mlle mgr sra srta dra lic ud uds vd vds`);
/** Other abbreviations that no sentence ends with: the rest of the thought follows. */
const neverLast = words(`
  ee vs ca cf ggf evtl inkl exkl zzgl bzw sog bzgl lt vgl approx viz resp admón med kath ev geb verh
  e.g i.e z.b d.h u.a u.ä z.t z.z i.d.r s.o s.u o.ä p.ej p.ex`);
/** Abbreviations that end a sentence where the next word is one that begins sentences; all initials do the same. */
const rarelyLast = words('st jr sr inc ltd co corp bros ave blvd rd dept est univ ee.uu ph.d');
/** Abbreviations in front of a number. */
const beforeNumber = words(`
  no nos nr nrn n° nº p pp s abs abschn art bd fig figs abb kap cap ch vol sec tel ext str tab núm pág págs párrf
  jan feb mar apr jun jul aug sep sept oct okt nov dec dez ene abr ago dic janv févr avr juil déc`);
/** Words that begin sentences, and no names; what stands before an apostrophe included. */
const starters = words(`
  a i you he she it we they this that these those there here then now so but and or if when while where what who
  why how which did does is are was were can could would should have has had my your his her its our their the in
  on at for as with after before no yes not please let thank thanks some all also however once maybe perhaps
  der die das dem ein eine einen ich du er sie es wir ihr mein dein unser dieser diese dieses jetzt dann danach da
  hier dort heute aber und oder doch wenn als wie was wer wo warum wann welche kann können haben hat ist sind war
  bitte danke ja nein auch nun damit dafür alle man im am auf für mit nach bei zu
  le la les l un une il elle ils elles je j tu nous vous on ce c cette ces mais et ou si quand que qui où pourquoi
  comment est avez voici voilà dans pour avec merci oui non alors puis ensuite
  el los las una yo él ella ellos es son está qué cómo cuándo dónde quién pero y en por para con sí gracias también
  ahora entonces hay`);
/** German writes ordinals with a full stop, `3. Oktober`; elsewhere the noun behind one is in lower case. */
const months = words(
  'januar jänner februar märz april mai juni juli august september oktober november dezember',
);
const ordinal =
  /(?:^|\s)(?:d(?:er|ie|as|en|em|es)|(?<!\bI\s)am|im|vom|zum|zur|beim|jede[rmns]?|[dms]?eine?[rmns]?)\s\d+$/iu;

/** Any punctuation that may end a sentence, and runs of it: `.`, `?!`, `...`, `. . .`, `。`. */
const punctuation = /(?:[\p{STerm}…](?:[ \u00a0\u202f]?(?=[\p{STerm}…]))?)+/u.source;
/** Quotes, brackets and markup behind it, which belong to the same sentence. */
const closers = /(?:["'”’)\]}」』）】》〉*_`~]|[“‘«‹›»](?=[\s,;:.!?…]|$)|\s[»›](?=\s|$)|<\/[\w-]+>)*/u.source;
const mayEnd = /[\p{STerm}…\n]/u;
const candidate = new RegExp(`(${punctuation})(${closers})(\\s*)|\\n\\s*`, 'gu');
/** What may stand in front of the first letter of a sentence. */
const openers = /^["'“”‘’„«‹»›¿¡([{（「『*_`~#<>–—-]+/u;
/** At the beginning of a sentence, or behind a colon: the number of a list item. */
const listNumber = /(?:^[\s*_#>•⁃–-]*\(?(?:\d{1,3}|\p{L}|[ivx]{1,4})|:\s+\d{1,2})$/iu;
const spacedInitials = /(?:\p{L}{1,2}\.\s?)*[\p{L}\p{N}.'’°º-]+$/u;
const initials = /^(?:\p{L}|(?:\p{L}{1,2}\.)+\p{L}{1,2})$/u;

/** More than any abbreviation or word that matters. */
const context = 40;

type Verdict = 'end' | 'goes on' | 'undecided';

/** A place where a sentence may end. */
interface Candidate {
  /** The sentence so far, without the punctuation. */
  readonly head: string;
  readonly punctuation: string;
  readonly closers: string;
  readonly space: string;
  /** What follows; never empty. */
  readonly rest: string;
  readonly language: string | undefined;
  /** Whether `rest` is all there will be. */
  readonly isWhole: boolean;
}

/** Divides a text that comes in pieces into sentences, each with the white space behind it. No character is lost. */
export class SentenceSplitter {
  readonly #language: string | undefined;
  #text = '';
  /** No sentence ends before this index, independent of what follows. */
  #searched = 0;

  /** @param language BCP 47 primary subtag, such as `en`; `undefined` where it is not known. */
  constructor(language?: string) {
    this.#language = language;
  }

  /** What has come of the sentence that has not ended. */
  get text(): string {
    return this.#text;
  }

  /**
   * @returns The sentences that have ended with this piece. What ends the text ends no sentence yet: `3.` may become
   * `3.5`, and `Dr.` goes on with a name.
   */
  add(piece: string): string[] {
    const isPending = this.#searched < this.#text.length;
    this.#text += piece;
    if (isPending || mayEnd.test(piece)) return this.#divide(false);
    this.#searched = this.#text.length;
    return [];
  }

  /** @returns The rest, as nothing follows; the last sentence need not have ended. */
  flush(): string[] {
    const sentences = this.#divide(true);
    if (this.#text !== '') sentences.push(this.#text);
    this.clear();
    return sentences;
  }

  /** Discards the content. */
  clear(): void {
    this.#text = '';
    this.#searched = 0;
  }

  #divide(isWhole: boolean): string[] {
    const sentences: string[] = [];
    for (;;) {
      const { end, searched } = findEnd(this.#text, this.#searched, this.#language, isWhole);
      this.#searched = searched;
      if (end === undefined) return sentences;
      sentences.push(this.#text.slice(0, end));
      this.#text = this.#text.slice(end);
      this.#searched = 0;
    }
  }
}

/** Finds the end of the first sentence, white space included; nothing before `from` is searched again. */
function findEnd(
  text: string,
  from: number,
  language: string | undefined,
  isWhole: boolean,
): { readonly end?: number; readonly searched: number } {
  candidate.lastIndex = Math.max(from, text.search(/\S|$/));
  for (let match = candidate.exec(text); match !== null; match = candidate.exec(text)) {
    const { 0: all, 1: marks = '', 2: closing = '', 3: space = all, index } = match;
    const end = index + all.length;
    if (end === text.length) return { searched: index };
    const verdict = judge({
      head: text.slice(0, index),
      punctuation: marks,
      closers: closing,
      space,
      rest: text.slice(end, end + context),
      language,
      isWhole: isWhole || end + context < text.length,
    });
    if (verdict === 'end') return { end, searched: end };
    if (verdict === 'undecided') return { searched: index };
    candidate.lastIndex = index + marks.length;
  }
  return { searched: text.length };
}

function judge(place: Candidate): Verdict {
  const { head, punctuation: marks, closers: closing, space, rest, isWhole } = place;
  if (marks === '') return 'end';
  const isWide = !/[.!?…]$/u.test(marks);
  if (space === '') return judgeWithoutSpace(place, isWide);
  if (listNumber.test(head)) return 'goes on';
  if (space.includes('\n')) return 'end';
  const [first] = rest.replace(openers, '');
  if (first === undefined) return isWhole ? 'end' : 'undecided';
  if (/[,;:)]/u.test(first)) return 'goes on';
  const isPeriod = /^[.…\s]+$/u.test(marks);
  if (/\p{Ll}/u.test(first) && !isWide && (isPeriod || closing !== '')) return 'goes on';
  return marks === '.' ? judgeFullStop(place, first) : 'end';
}

/** Chinese and Japanese need no white space; elsewhere a stop within a word is one of a number or an address. */
function judgeWithoutSpace(
  { head, punctuation, closers, rest, isWhole }: Candidate,
  isWide: boolean,
): Verdict {
  if (!isWide) {
    if (/^<[^>]*$/u.test(rest) && !isWhole) return 'undecided';
    const isAsian = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(rest);
    return isAsian && /[!?]/u.test(punctuation) ? 'end' : 'goes on';
  }
  if (/\p{Nd}$/u.test(head) && /^\p{Nd}/u.test(rest)) return 'goes on';
  // the Japanese quotative particle; not the words that begin like it
  if (closers === '' || !/^(?:と|って)/u.test(rest)) return 'end';
  if (rest.length < 3 && !isWhole) return 'undecided';
  return /^(?:ところ|とても|ときどき|ともかく|とにかく)/u.test(rest) ? 'end' : 'goes on';
}

function judgeFullStop(place: Candidate, first: string): Verdict {
  const { head, language } = place;
  const near = head.slice(-context);
  const token = spacedInitials.exec(near)?.[0].replace(/\s/gu, '') ?? '';
  const key = token.toLowerCase().replace(/^.*-(?=\p{L}+$)/u, '');
  const isDigit = /\p{Nd}/u.test(first);
  if (/^\d+$/u.test(token)) {
    if (token.length > 2 || isDigit || !(language ?? 'de').startsWith('de')) return 'end';
    return judgeByNextWord(place, (word) => !months.has(word) && !ordinal.test(near));
  }
  const last = key.replace(/^.*\./u, '');
  const isTitle = titles.has(last) && /^\p{Lu}/u.test(token);
  if (isTitle || neverLast.has(key) || neverLast.has(last)) return 'goes on';
  if (isDigit && (beforeNumber.has(key) || /str$/iu.test(token))) return 'goes on';
  const isUnit = /[\p{N}°]\s?\p{L}$/u.test(near);
  if (!rarelyLast.has(key) && (!initials.test(token) || isUnit)) return 'end';
  return judgeByNextWord(place, () => false);
}

/** @param endsBefore Whether a word that usually does not begin sentences does so here. */
function judgeByNextWord({ rest, isWhole }: Candidate, endsBefore: (word: string) => boolean): Verdict {
  const next = rest.replace(openers, '');
  const [word = ''] = /^[\p{L}]*/u.exec(next) ?? [];
  if (word === '') return /^\p{Nd}/u.test(next) ? 'goes on' : 'end';
  if (word.length === next.length && !isWhole) return 'undecided';
  // an initial
  if (/^\p{L}\./u.test(next)) return 'goes on';
  const lower = word.toLowerCase();
  return starters.has(lower) || endsBefore(lower) ? 'end' : 'goes on';
}
