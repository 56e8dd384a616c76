// Records what npm's ssri makes of texts: node record.js NPM > ssri.jsonl
//
// The first line is a header with npm's version, each further line one row: its
// kind, then arguments, then answers. Null is no SRI.
'use strict'
const path = require('path')
const npm = path.resolve(process.argv[2] || '/usr/lib/node_modules/npm')
const ssri = require(path.join(npm, 'node_modules/ssri'))
const crypto = require('crypto')

const data = { empty: '', hello: 'hello world\n', other: 'something else' }
const sri = (algorithm, key) => `${algorithm}-${crypto.createHash(algorithm).update(data[key]).digest('base64')}`
const algorithms = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'shake128', 'shake256', 'blake2b512', 'sm3']
const hello = Object.fromEntries(algorithms.map(a => [a, sri(a, 'hello')]))
const other = Object.fromEntries(algorithms.map(a => [a, sri(a, 'other')]))

const texts = [
  '', ' ', 'x', 'sha512', 'sha512-', 'sha512-x', '-x', 'sha512-x y', 'sha512-?a', 'sha512-x?', 'sha512-x?a', 'sha512-x?a?b',
  'sha512-x?a b', 'SHA512-x', 'sha999-x', 'sha3-256-x', 'sha512-256-x', 'md5-sha1-x', 'sha512--', 'sha512-é', 'sha512-x?é', 'whirlpool-x',
  'rmd160-x', 'ripemd160-x', 'ripemd-x', 'constructor-x', 'sha1-a sha1-b', 'sha1-a sha1-a', 'sha1-a sha512-b sha1-c', 'foo sha1-a bar',
  'sha1-a\tsha256-b\n', '\u00a0sha1-a\u00a0sha1-b\ufeff', 'sha256-a sha512-b sha384-c', 'md5-a blake2b512-b', 'blake2b512-a sm3-b', 'sm3-a blake2b512-b', 'shake128-a md5-b',
  'sha512-ab_-', 'sha512-ab+/', 'sha512-YQ', 'sha512-YQ==', 'sha512-Y', 'sha512-YQ==x', 'sha512-Y!Q', 'sha1-a?x sha1-a?y', 'sha512-a,sha1-b',
  ...Object.values(hello), `${hello.sha1} ${hello.sha512}`, `${hello.sha512} ${other.sha512}`, `${other.sha1} ${hello.sha256}`,
  `${hello.sha1} ${other.sha512}`, `${other.sha512} ${other.sha512} ${hello.sha512}?x`, `${hello.sha512.replace(/=+$/, '')}`,
  `${hello.blake2b512} ${hello.md5}`, `${other.sm3} ${hello.blake2b512}`,
]

const out = [JSON.stringify({ npm: require(path.join(npm, 'package.json')).version, node: process.version, data })]
const row = (...cells) => out.push(JSON.stringify(cells))
const text = x => x ? String(x) : null
for (const t of texts) {
  const s = ssri.parse(t)
  const single = ssri.parse(t, { single: true })
  row('parse', t, text(s), s && s.pickAlgorithm(), s && s[s.pickAlgorithm()].map(String).join(' '), s && s.hexDigest(),
    single?.digest ? String(single) : null, single?.digest ? single.hexDigest() : null)
  for (const key of Object.keys(data)) {
    let found
    try {
      found = ssri.checkData(data[key], t)
    } catch (er) {
      found = er.code || 'unknown'
    }
    row('check', t, key, !!found)
  }
}
const few = texts.filter(t => ssri.parse(t)).filter((t, i) => i % 3 === 0)
for (const a of few) {
  for (const b of few) {
    let merged = ssri.parse(a)
    try {
      merged.merge(b)
      merged = String(merged)
    } catch (er) {
      merged = er.message
    }
    row('pair', a, b, text(ssri.parse(a).match(b)), merged, String(ssri.parse(a).concat(b)))
  }
}
for (const hex of ['', 'zz', '0', '00', 'abc', 'ABCDEF', 'abzz', '0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33']) {
  row('hex', hex, text(ssri.fromHex(hex, 'sha1')))
}
for (const key of Object.keys(data)) {
  for (const a of algorithms) {
    row('data', key, a, sri(a, key))
  }
}
process.stdout.write(out.join('\n') + '\n')
