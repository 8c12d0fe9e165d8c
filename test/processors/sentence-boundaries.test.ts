import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SentenceSplitter } from '../../src/processors/sentence-boundaries.ts';

/** Each line is one text, in sentences. */
const sentences: Record<string, string[][]> = {
  English: [
    ['Hello, world. ', 'How are you? ', 'I am fine!'],
    ['Dr. Smith will see you now. ', 'Please sit down.'],
    ['Rep. Jones spoke. ', 'Do one more rep. ', 'Bob is next.'],
    ['What a gem. ', 'Bob was right, no less.'],
    ['I spoke to Mr. and Mrs. Brown. ', 'They agreed.'],
    ['Prof. Ada Lovelace and St. Peter met Sgt. Pepper. ', 'It was fun.'],
    ['J. R. R. Tolkien wrote it. ', 'I like it.'],
    ['J.R.R. Tolkien wrote it. ', 'I like it.'],
    ['Samuel L. Jackson is here. ', 'Say hello.'],
    ['It was you and I. ', 'Did you see Albert I. Jones yesterday?'],
    ['Take plan B. ', 'Then call me.'],
    ['1. Open the app. ', '2. Tap the button. ', '3. Wait.'],
    ['1. Open the app.\n', '2. Tap the button.\n', '3. Wait.'],
    ['Do this: 1. Open the app. ', '2. Wait.'],
    ['**1.** Open the app. ', '**2.** Wait.'],
    ['a. Open the app.\n', 'b. Wait.'],
    ['You have 3. ', 'I have 4.'],
    ['It happened in 1990. ', 'Nobody noticed.'],
    ['**Done.** ', 'Anything else?'],
    ['*Sure!* ', 'What is next?'],
    ['Use `npm test.` ', 'Then push.'],
    ['<b>Done.</b> ', 'Anything else?'],
    ['It costs 3.50 euros. ', 'Fine.'],
    ['Version 1.2.3 is out. ', 'Update now.'],
    ['Take fruit, e.g. an apple. ', 'Good.'],
    ['Take fruit, e.g. Granny Smith apples. ', 'Good.'],
    ['Two sides, i.e. Bob and Ann, agreed. ', 'Good.'],
    ['We sell apples, pears, etc. ', 'They are fresh.'],
    ['Apples, pears, etc. are fresh. ', 'Try one.'],
    ['Well... maybe. ', 'No?'],
    ['Wait… ', 'What was that?'],
    ['Well . . . maybe. ', 'No?'],
    ['I see... ', 'Let me think.'],
    ['Really?! ', 'I had no idea.'],
    ['Stop!!! ', 'Now.'],
    ['"Stop." ', 'Then he left.'],
    ['He said "Stop." ', 'Then he left.'],
    ['"Are you there?" she asked. ', 'Nobody answered.'],
    ['“Stop!” he cried. ', '“Why?”'],
    ['He left (in a hurry.) ', 'She stayed.'],
    ['She came (did she?) and left. ', 'Odd.'],
    ['Write to bob.smith@example.com. ', 'He answers.'],
    ['Visit www.example.com/a.b?c=d. ', 'It helps.'],
    ['Go to https://example.com/path. ', 'Then log in.'],
    ['We meet at 5 p.m. ', 'Then we eat.'],
    ['We meet at 5 p.m. on Monday. ', 'Be there.'],
    ['She lives in the U.S. ', 'He lives in the U.K. now.'],
    ['The U.S. Senate voted. ', 'It passed.'],
    ['He works for Acme Inc. ', 'She works for Foo Ltd. in London.'],
    ['On Jan. 5 we start. ', 'Good.'],
    ['Read No. 5 and Fig. 3 first. ', 'Good.'],
    ['No. ', 'I will not.'],
    ['See p. 12 and pp. 14 to 16. ', 'Good.'],
    ['It is Apollo 11 vs. Soyuz 1. ', 'Choose.'],
    ['Martin Luther King Jr. ', 'He had a dream.'],
    ['He has a Ph.D. in physics. ', 'Nice.'],
    ['One\n', 'Two'],
    ['# Title\n', '- First point\n', '- Second point'],
    ['Great! ', '😊 Let us go.'],
    ["It's done. ", "'Tis good."],
    ['It is 72 °F. ', 'Dress lightly.'],
    ['Turn left on Main St. and go on. ', 'Stop there.'],
    ['The call ended at 3.45. ', 'Nobody knew why.'],
    ['Sure! ', 'I can help with that. ', "What's your name?"],
    ['The total is $5. ', 'Anything else?'],
    ['Call 555-1234. ', 'Thanks.'],
    ['I am OK. ', 'Thanks.'],
    ['Say it to me. ', 'Go on. ', 'Do it. ', 'Bob agrees.'],
    ['I am 3. ', 'Bob is 4.'],
  ],
  German: [
    ['Am 3. Oktober feiern wir. ', 'Kommst du?'],
    ['Im 19. Jahrhundert war das so. ', 'Heute nicht.'],
    ['Der 2. Weltkrieg endete 1945. ', 'Danach begann der Aufbau.'],
    ['Nimm Obst, z. B. Äpfel. ', 'Gut.'],
    ['Nimm Obst, z.B. Äpfel. ', 'Gut.'],
    ['Das heißt, d. h. Montag, geht es los. ', 'Gut.'],
    ['Prof. Dr. Müller kommt um 8 Uhr. ', 'Bitte warten.'],
    ['Hr. Meier und Fr. Schulz sind da. ', 'Sie warten.'],
    ['Äpfel, Birnen usw. ', 'Das ist alles.'],
    ['Siehe Abs. 3 und Nr. 4. ', 'Das steht dort.'],
    ['Es kostet ca. 20 Euro. ', 'Ist das recht?'],
    ['Er wohnt in der Hauptstr. 5 in Bonn. ', 'Kennst du das?'],
    ['„Komm her!“, rief sie. ', '„Sofort.“'],
    ['„Ja.“ ', 'Er ging.'],
    ['»Ja.« ', 'Er ging.'],
    ['Ich habe 3. ', 'Du hast 4.'],
    ['Heinrich VIII. war König. ', 'Er starb 1547.'],
    ['Das kostet 1.000,50 Euro. ', 'Teuer!'],
    ['Rufen Sie Montag bzw. Dienstag an. ', 'Danke.'],
    ['1. Öffnen Sie die App. ', '2. Warten Sie.'],
    ['Das sind 5. ', 'Möchtest du mehr?'],
    ['Am 2. Weihnachtstag bin ich da. ', 'Kommst du?'],
    ['Es ist sein 3. Versuch. ', 'Viel Glück!'],
    ['Wir sehen uns am Montag, 3. März. ', 'Bis dann.'],
    ['Er wurde 3. ', 'Bravo!'],
  ],
  French: [
    ['Bonjour ! ', 'Comment allez-vous ? ', 'Bien.'],
    ['M. Dupont et Mme. Martin sont là. ', 'Ils attendent.'],
    ['« Oui. » ', 'Il partit.'],
    ['« Qui est là ? » demanda-t-il. ', 'Personne.'],
    ['Prenez un fruit, p. ex. une pomme. ', 'Merci.'],
    ['Cela coûte 3,50 euros. ', 'Merci.'],
    ['Des pommes, des poires, etc. ', 'Tout est frais.'],
    ['Voir art. 5 du code. ', "C'est clair."],
  ],
  Spanish: [
    ['¡Hola! ', '¿Cómo estás? ', 'Bien.'],
    ['El Sr. García y la Sra. López llegaron. ', 'Esperan.'],
    ['La Dra. Ruiz vive en EE. UU. desde 2010. ', 'Es feliz.'],
    ['Hay fruta, p. ej. manzanas. ', 'Come.'],
    ['Ud. puede pasar. ', 'Gracias.'],
    ['Véase la pág. 5. ', 'Gracias.'],
    ['¿Qué? ', '¡No puede ser!'],
  ],
  Chinese: [
    ['你好。', '我很好。'],
    ['你好！', '你在吗？', '我在。'],
    ['他说：“你好。”', '我笑了。'],
    ['我想……也许吧。', '好。'],
    ['价格是3.50元。', '可以吗？'],
  ],
  Japanese: [
    ['こんにちは。', '元気ですか？', 'はい！'],
    ['「今日は休みです。」と彼は言った。', '私は笑った。'],
    ['彼は「はい。」と答えた。', '終わり。'],
    ['「はい。」', '彼は帰った。'],
    ['値段は3.5ドルです。', '高いですね。'],
    ['本当に？！', '知りませんでした。'],
  ],
  others: [
    ['안녕하세요. ', '반가워요! ', '잘 지내요?'],
    ['नमस्ते। ', 'आप कैसे हैं? ', 'ठीक।'],
    ['مرحبا. ', 'كيف حالك؟ ', 'أنا بخير.'],
    ['Привет. ', 'Как дела? ', 'Хорошо.'],
  ],
};

/** What people would divide otherwise; each would need to know what the words mean. */
const failing: string[][] = [
  ['Eat vitamin C. ', 'Drink water.'],
  ['She works at Yahoo! in the accounting department.'],
  ['The thing is . . . I did not mean it.'],
  ['He left at 6 p.m. ', 'Mr. Smith stayed.'],
  ['“你好。”他说。', '我笑了。'],
  ['これは山です（小さい山です。大きくない）。', 'はい。'],
];

/** The sentences of a text that comes in pieces. */
function divided(pieces: readonly string[], language?: string): string[] {
  const splitter = new SentenceSplitter(language);
  return [...pieces.flatMap((piece) => splitter.add(piece)), ...splitter.flush()];
}

const all = Object.values(sentences).flat();

describe('the end of a sentence', () => {
  describe.each(Object.entries(sentences))('in %s', (_, texts) => {
    it.each(texts.map((expected) => [expected.join(''), expected]))('%s', (text, expected) => {
      expect(divided([text])).toEqual(expected);
    });
  });

  describe('that needs understanding is missed or seen too often', () => {
    it.fails.each(failing.map((expected) => [expected.join(''), expected]))('%s', (text, expected) => {
      expect(divided([text])).toEqual(expected);
    });
  });

  it('is the same whatever pieces the text comes in', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom(...all), lengths, (expected, sizes) => {
        const text = expected.join('');
        const pieces: string[] = [];
        for (let at = 0, turn = 0; at < text.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          pieces.push(text.slice(at, at + size));
          at += size;
        }
        expect(divided(pieces)).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('loses no character of any text', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (pieces) => {
        expect(divided(pieces).join('')).toBe(pieces.join(''));
      }),
    );
  });

  it('is not certain before something follows', () => {
    for (const text of ['Fine.', 'Fine. ', 'Fine?!', 'It costs 3.', 'Ask Dr. ', '好。', 'Done.**', '« Oui. '])
      expect(new SentenceSplitter().add(text)).toEqual([]);
  });

  it('is certain with the first letter that follows, where no abbreviation is in question', () => {
    expect(new SentenceSplitter().add('I am fine. A')).toEqual(['I am fine. ']);
    expect(new SentenceSplitter().add('好。我')).toEqual(['好。']);
  });

  it('knows German ordinals by the language, or by the words in front where it is not known', () => {
    const text = 'Am 2. Weihnachtstag. ';
    expect(divided([text], 'de')).toEqual([text]);
    expect(divided([text])).toEqual([text]);
    expect(divided([text], 'en')).toEqual(['Am 2. ', 'Weihnachtstag. ']);
  });

  it('is found in a text of 100,000 words without any, that comes word by word', () => {
    const words = Array.from({ length: 100_000 }, () => 'word ');
    expect(divided([...words, 'End. ', 'New.'])).toHaveLength(2);
  });
});
