// node record.js > node.json
const texts = ['', '0', '-0', '1', '-1', '+1', '1.5', '.5', '5.', '.', '-.5', '+.', '1e3', '1E-3', '1e', '1e+', '0x1F', '0X1f', '0b11', '0b12', '0o17',
  '0o18', '0xg', '0x', '-0x1', '1_000', 'Infinity', '-Infinity', '+Infinity', 'infinity', 'inf', 'NaN', 'nan', ' 1 ', '1 2', '--1', '1e400', '-1e400', '1e-400',
  '\u00a01', '\ufeff1\u2029', '\u00851', '1n', '0x1p4', '9007199254740993', '123456789012345680000', '1e21', '1e-7', '0.000001', '1e-10', '1.7976931348623157e308',
  '010', '1,5', '٣']
const strings = ['', 'a', 'ä', '😀', 'a😀', '\uffff', 'z', 'é', 'e\u0301', 'Z', '\u{10000}', '\ufb01', "a b/c?d=é&~'()*!_-.:@"]
const bytes = [[0x61], [0x80], [0xc3, 0xa4], [0xc3], [0xc3, 0x28], [0xe2, 0x82], [0xe2, 0x82, 0xac], [0xe2, 0x28, 0xa1], [0xed, 0xa0, 0x80], [0xed, 0x9f, 0xbf], [0xe0, 0x80, 0x80],
  [0xf0, 0x9f, 0x98], [0xf0, 0x9f, 0x98, 0x80], [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf4, 0x8f, 0xbf, 0xbf], [0xc0, 0xaf], [0xff, 0xfe], [0x61, 0xf1, 0x80, 0x80, 0xe1, 0x80, 0xc2, 0x62]]
const spaces = []
for (let r = 0; r < 0x11000; r++) if (/\s/.test(String.fromCodePoint(r))) spaces.push(r)
console.log(JSON.stringify({
  node: process.version,
  spaces,
  numbers: texts.map(s => [s, String(Number(s))]),
  lengths: strings.map(s => [s, String(s.length)]),
  sorted: [...strings].sort(),
  encoded: strings.map(s => [s, encodeURIComponent(s)]),
  trimmed: spaces.map(r => String.fromCodePoint(r)).concat('\u0085', '\u200b', 'x').map(s => [s + 'a' + s, (s + 'a' + s).trim()]),
  decoded: bytes.map(b => ({ bytes: Buffer.from(b).toString('base64'), text: Buffer.from(b).toString('utf8') })),
}, null, 1))
