// Records how Intl.Collator("en") sorts: node testdata/record.cjs, from the
// package's folder. Writes order.json beside itself.
const fs = require('fs')
const path = require('path')

const words = [
  '', ' ', 'a', 'A', 'b', 'B', 'aa', 'aA', 'Aa', 'AA', 'ab', 'a-b', 'a_b', 'a.b', 'a/b', '@a/b', '@a-c/b', '@A/b', 'a1', 'a10', 'a2', '10', '9',
  'JSONStream', 'jsonStream', 'json-stable', 'jsonstream', '_a', '-a', '~a', '$a', 'a~', 'a$', 'a%', 'a\\b', 'a`', 'a^', 'a+', 'a=b', 'a<b', 'a>b', 'a|b',
  'a{b', 'a}b', 'a[b', 'a]b', 'a(b', 'a)b', 'a!', 'a?', 'a\'', 'a"', 'a,b', 'a;b', 'a:b', 'a*', 'a&', 'a#', 'node_modules/a', 'node_modules/a-b',
  'node_modules/a/node_modules/b', 'node_modules/@s/a', 'packages/a', '../x',
  'é', 'e', 'ea', 'E', 'É', 'e\u0301', 'e\u0301a', 'f', 'z', 'ä', 'ae', 'æ', 'ß', 'ss', 'ø', 'o', 'ñ', 'n', 'ł', 'l',
  'a\u0000b', 'a\tb', 'a\nb', 'a\u007fb', '\u200b', 'a\u200bb', '日本', '中文', 'Ω', 'ω', 'я', 'Я', '😀', '！', '１', '①', 'ﬁ', 'fi',
]
// Pseudo-random, so that the record is the same every time.
let seed = 42
const random = n => { seed = (seed * 1103515245 + 12345) % 2147483648; return Math.floor(seed / 65536) % n }
const alphabet = 'aAbBzZ09 _-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$'
for (let i = 0; i < 150; i++) {
  let word = ''
  for (let n = random(6); n >= 0; n--) {
    word += alphabet[random(alphabet.length)]
  }
  words.push(word)
}
const unique = [...new Set(words)]
const collator = new Intl.Collator('en')
const signs = unique.map(a => unique.map(b => '<=>'[Math.sign(collator.compare(a, b)) + 1]).join(''))
fs.writeFileSync(path.join(__dirname, 'order.json'), JSON.stringify({
  node: process.version, icu: process.versions.icu, words: unique, signs,
}, null, 1) + '\n')
