// Records what JavaScript makes of JSON texts: node testdata/record.cjs
// NPM-DIR, from the package's folder. Writes parse.json beside itself.
const fs = require('fs')
const path = require('path')
const npm = path.resolve(process.argv[2])
const parse = require(path.join(npm, 'node_modules/json-parse-even-better-errors'))

const numbers = ['0', '-0', '1', '-1', '1.0', '1.50', '100', '1e3', '1E+3', '1e21', '1e20', '123456789012345680000', '1e-6', '1e-7', '1.5e-7', '0.1',
  '0.30000000000000004', '9007199254740993', '1e400', '-1e400', '5e-324', '1.7976931348623157e308', '12345678901234567890', '0.000001234', '-1.25e-9',
  '1e22', '4.35', '2e-1', '123456789.123456789']
const texts = [
  ...numbers,
  '"a\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\\u2028\\u2029<>&"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\ud83d\\u0041"', '"é😀\\u00e9"', '"\\uD83Dx"',
  '{"b":1,"a":2,"10":3,"9":4,"01":5,"-1":6,"4294967294":7,"4294967295":8,"1.5":9,"":10}', '{"a":1,"b":2,"a":3}', '{"__proto__":1}', '{"a":{"b":[],"c":{}}}',
  '[]', '{}', '{}\n', '{}\n\n', '{}\r\n', '[]\n', '{} ', ' {}', '{\n}', '{\n  \n}', '{\n\n  "a":1}', '{\r\n\t"a":1}', '{\n"a":1}', ' {\n   "a":1}', '[\n 1]', '{ \n "a":1}',
  '{\n \n  "a":1}', '{\n            "a":1}', '\ufeff{\n  "a":1}', '{\n\u2003"a":1}', '{"a":\n1}', '{\r"a":1}', '{\n\ufeff"a":1}', '{\n\u00a0"a":1}', 'null', 'true', 'false', '"x"',
  '', ' ', '{', '[', '"', '{"a"}', '{"a":}', '{"a":1,}', '[1,]', '[,1]', '{,}', 'tru', 'nul', 'truefalse', '01', '1.', '.5', '-', '1e', '+1', '0x1', 'NaN', "'a'", '"\\x"', '"\\u12"',
  '"a\nb"', '"\t"', '{a:1}', '[1 2]', '{"a":1 "b":2}', '1 2', '[1]]', '// x\n1', '\u00a01', '\v1', '[1]\u0000', '"\\', '{"a":1}}', '"\u2028"', '\ufeff\ufeff1', 'Infinity', '-Infinity', '--1', '1e+', '00', '-01',
]
const indents = ['', '  ', '\t', '            ', ' \n ']
fs.writeFileSync(path.join(__dirname, 'parse.json'), JSON.stringify({
  npm: require(path.join(npm, 'package.json')).version,
  node: process.version,
  cases: texts.map(text => {
    try {
      const value = parse(text)
      const out = { text, written: indents.map(i => JSON.stringify(value, null, i)) }
      if (value && typeof value === 'object') {
        out.indent = value[Symbol.for('indent')]
        out.newline = value[Symbol.for('newline')]
      }
      return out
    } catch (er) {
      return { text, error: true }
    }
  }),
  indents,
}, null, 1) + '\n')
