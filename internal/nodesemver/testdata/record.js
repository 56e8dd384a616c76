// Records what npm's own node-semver makes of versions and ranges.
//
//   node record.js NPM > semver.jsonl           the table of the tests
//   node record.js NPM random SEED N > x.jsonl  N random rows of each kind, for
//                                               go test -args -recording x.jsonl
//
// The first line is a header with npm's version, each further line one row: its
// kind, then arguments, then answers. Four answers are for strict, loose,
// strict with prereleases, loose with prereleases; "E" or {"error"} is an
// exception.
'use strict'
const path = require('path')
const npm = path.resolve(process.argv[2] || '/usr/lib/node_modules/npm')
const semver = require(path.join(npm, 'node_modules/semver'))
const options = [{}, { loose: true }, { includePrerelease: true }, { loose: true, includePrerelease: true }]

const out = []
const row = (...cells) => out.push(JSON.stringify(cells))
const each = f => options.map(o => {
  try {
    return f(o)
  } catch (er) {
    return 'E'
  }
})
const bits = f => each(f).map(x => x === true ? 'T' : x === false ? 'F' : 'E').join('')

const record = {
  valid: v => row('valid', v, ...[false, true].map(l => semver.valid(v, l)), ...[false, true].map(l => semver.clean(v, l)),
    semver.parse(v, true)?.build.join('.') ?? null),
  compare: (a, b) => row('compare', a, b, semver.compare(a, b, true), semver.compareBuild(a, b, true),
    semver.valid(a) && semver.valid(b) ? semver.diff(a, b) : null),
  range: r => row('range', r, ...each(o => semver.validRange(r, o))),
  min: r => row('min', r, ...each(o => {
    const range = new semver.Range(r, o)
    try {
      return String(semver.minVersion(range, o))
    } catch {
      return 'null' // the number above the largest is no version
    }
  })),
  satisfies: (v, r) => row('satisfies', v, r, bits(o => semver.satisfies(v, r, o))),
  outside: (v, r) => row('outside', v, r, bits(o => semver.gtr(v, r, o)), bits(o => semver.ltr(v, r, o))),
  intersects: (a, b) => row('intersects', a, b, bits(o => semver.intersects(a, b, o))),
  subset: (a, b) => row('subset', a, b, bits(o => semver.subset(a, b, o))),
  inc: (v, release, id, base) => {
    const s = semver.parse(v, true)
    if (!s) {
      return
    }
    let result
    try {
      result = new semver.SemVer(v, { loose: false }).inc(release, id || undefined, base).version
    } catch (er) {
      if (!semver.valid(v)) {
        return
      }
      result = { error: er.message }
    }
    row('inc', v, release, id, String(base), result)
  },
  coerce: s => row('coerce', s, String(semver.coerce(s)), String(semver.coerce(s, { includePrerelease: true, loose: true }))),
  max: (list, r) => row('max', list, r, ...each(o => semver.maxSatisfying(list, r, o)), ...each(o => semver.minSatisfying(list, r, o))),
  simplify: (list, r) => row('simplify', list, r, semver.simplifyRange([...list], r, { loose: true, includePrerelease: true })),
}

const versions = `
0.0.0
0.0.0-0
0.0.1
0.0.1-alpha
0.1.0
0.1.0-rc.1
0.1.2
0.2.0
1.0.0
1.0.0-0
1.0.0-alpha
1.0.0-alpha.1
1.0.0-alpha.beta
1.0.0-beta
1.0.0-beta.2
1.0.0-beta.11
1.0.0-rc.1
1.2.0
1.2.2
1.2.3
1.2.3-0
1.2.3-alpha
1.2.3-alpha.1
1.2.3-beta
1.2.3-beta.2
1.2.3+build
1.2.3-beta+build
1.2.4
1.2.4-beta.1
1.3.0
1.3.0-0
1.3.0-alpha
1.9.9
1.10.0
2.0.0
2.0.0-0
2.0.0-rc.1
2.3.4
3.0.0
10.0.0
`.trim().split('\n')

const texts = [...versions, ...`
v1.2.3
V1.2.3
=1.2.3
==1.2.3
=v1.2.3
v=1.2.3
vv1.2.3
v 1.2.3
= 1.2.3
 1.2.3
1.2.3\t
1.2
1
1.2.3.4
1.2.34.5
1.2.34.b+c
1.2.34.
01.2.3
1.02.3
1.2.03
1.2.3-01
1.2.3-1.01
1.2.3-00
1.2.3-0a
1.2.3-0-0
1.2.3beta
1.2.3beta.1
1.2.3-
1.2.3--
1.2.3--1
1.2.3-.
1.2.3-a.
1.2.3-a..b
1.2.3.a
1.2.3+
1.2.3+a.b-c
1.2.3+01
1.2.3+a+b
1.2.3-+a
1.2.3-a+
1.2.3-A
1.2.3-a_b
1.2.3 beta
1.2.3-é
x.y.z
1.x.3
*
latest
-1.2.3
+1.2.3
>1.2.3
1,2,3
1.2.3-9007199254740990
1.2.3-9007199254740991
1.2.3-9007199254740992
1.2.3-9007199254740993
1.2.3-00009007199254740993
1.2.3-0009
1.2.3-99999999999999999999
1.2.3-99999999999999999998
9007199254740991.0.0
9007199254740992.0.0
0.9007199254740991.0
0.0.9007199254740992
09007199254740991.0.0
99999999999999999999.0.0
1.2.3-Infinity
1.2.3-1e3
1.2.3-0x1f
`.split('\n').slice(1, -1), '', ' ', '1.2.3\u00a0', '\ufeff1.2.3', '1.2.3\u0085', 'v\u00a01.2.3', '1.2.3\n', '1.2.3-' + 'a'.repeat(250),
  '1.2.3-' + 'a'.repeat(251), '1.2.3-' + 'a.'.repeat(124) + 'b', '1.2.3+' + 'b'.repeat(250), ' '.repeat(252) + '1.2.3', '1'.repeat(257) + '.0.0']

const ranges = `
*
x
X
 
||
1
1.2
1.2.3
=1.2.3
==1.2.3
v1.2.3
=v1.2.3
v1
v1.2
= 1
1.x
1.X.x
1.*
1.2.x
1.2.*
1.x.x
x.1
*.1
*.1.2
1.x.3
1.*.x
x.x.x
>1
>1.2
>1.2.3
>=1
>=1.2
>=1.2.3
<1
<1.2
<1.2.3
<=1
<=1.2
<=1.2.3
=1
=1.2
>*
<*
>=*
<=*
=*
>x
<x
>=1.x
<=1.x
>1.x.x
<1.2.x
>0
<0
<0.0
<0.0.0
<=0
>=0
>=0.0.0
>=0.0.0-0
>0.0.0
<0.0.0-0
<0.0.0-1
<=0.0.0
^0
^0.0
^0.0.0
^0.0.1
^0.0.1-alpha
^0.0.x
^0.1
^0.1.0
^0.1.2
^0.1.2-rc.1
^0.x
^1
^1.2
^1.2.0
^1.2.3
^1.2.3-beta
^1.2.3-beta.2
^1.2.x
^1.x
^x
^*
^
^1.2.3+build
^ 1.2.3
^  1
^v1.2.3
^=1.2.3
^00.1.2
^01.2.3
^0.00.1
~0
~0.0
~0.0.0
~0.0.1
~0.0.1-alpha
~0.1.2
~1
~1.2
~1.2.0
~1.2.3
~1.2.3-beta
~1.2.3-beta.2
~1.x
~1.x.3
~x
~*
~
~>1
~>1.2
~>1.2.3
~> 1.2.3
~ 1.2.3
~  1.2
~v1.2
~>v1
~=1.2
~ > 1
~1.2.3beta
^1.2.3beta
>=1.2.3beta
1.2.3beta
>01.02.03
~1.2.3 || ^2
1 || 2
1||2
1 || 
|| 1
 || 
1.2.3 || >=2
>=1.2.3 <2
>=1.2.3 <2.0.0-0
>= 1.2.3 < 2
>  1.2.3
> = 1
>=  1.2.3
< = 1.2.3
>=1 <1
>2 <1
>1.2.3 <1.2.4
>=1.2.3 <=1.2.3
1.2.3 1.2.3
1.2.3 1.2.4
1.2.3 *
* 1.2.3
* *
* || 1
^1 ^1.2
>1 >2 >3
1.2.3 - 2.3.4
1.2.3-beta - 2.3.4-beta
1.2 - 2.3.4
1 - 2.3
1.2.3 - 2
1.2.3 - 2.3
* - 2
1 - *
x - x
1.2.3 -2.3.4
1.2.3- 2.3.4
1.2.3-2.3.4
1.2.3  -  2.3.4
 1 - 2 
1 - 2 || 3
1 - 2 3
v1.2 - v2.3
=1 - =2
= 1 - 2
1.2.3+a - 2.3.4+b
1.2.3beta - 2.3.4beta
1 - 2 - 3
- 2
1 -
>1 - 2
1.2.3 - x.2
>=1.2.3-beta
>=1.2.3-beta <1.2.3
>1.2.3-beta
<1.2.3-beta
<=1.2.3-beta
<1.2.3-0
>=1.2.3-0
1.2.3-beta
=1.2.3-beta
1.2.3-beta || 2.0.0-rc.1
>=1.0.0-alpha <1.0.0
>=1.2.3-alpha.1 <1.2.3-beta
1.2.3+build
>=1.2.3+build
1.2.3 +build 2
1.x+build
+build
foo
foo || 1
foo 1
foo bar
1 foo
1 || foo bar || 2
foo +b bar
blerg
latest
git
1.2.3.4
>1.2.3.4
^1.2.34.b
~1.2.34.5
>1.2.34.5
1.2.34.b - 2.3.45.6
1.2.x.b
1,2
>1,<2
>1, <2
>=1 && <2
!1.2.3
!=1.2.3
<>1
><1
=>1
=<1
>>1
>
<
>=
=
~>
^^1
~~1
~^1
^~1
>^1
>~1
^>1
~<1
~>=1
1.2.3-
1.2.3 -
-1
.1
1.
1..2
a.b.c
1.b.c
1.2.3x
1.2.xbeta
x1
1x
1.2.x-beta
1.x-beta
^1.x-beta
~1.2.x-beta
1.2.3-01
^1.2.3-01
9007199254740991
9007199254740992
^9007199254740991
^9007199254740991.0.0
^9007199254740990
<9007199254740991
<=9007199254740991
>9007199254740990
^0.9007199254740991.0
~1.9007199254740991
>99999999999999999999
<=1000000000000000000000
1 <=1000000000000000000000
^1000000000000000000000
^99999999999999999999999999
1.2.3-9007199254740993
>1.2.3-99999999999999999999
`.split('\n').slice(1, -1)
ranges.push('', '\t1\n', '1\u00a0||\u30002', '>\ufeff1', '^1.2.3 \r\n ~1.2', '1.2.3-' + 'a'.repeat(251), '>=' + '1'.repeat(300), 'v\tv 1')

const ids = ['', 'alpha', 'beta', 'beta.1', '0', '1e3', '0x1f', '-1', 'a_b', '01', 'Infinity']
const releases = ['major', 'minor', 'patch', 'premajor', 'preminor', 'prepatch', 'prerelease', 'pre', 'release', 'other', 'preother']
const coercible = `1
v1
v1.2
1.2.3
1.2.3.4
1.2.3-rc.1+b
release 1.2 of 2020
x1y2z3
12345678901234567
1234567890123456
9999999999999999
1.12345678901234567
1.2.12345678901234567
12345678901234567.1
a12345678901234567.2 3
.1
1.
1..2
-1.2
1.2.3-01
1.2.3-a.01
1.2.3-a.b.01
1.2.3-
1.2.3-+b
1.2.3+b.c
1.2-rc
1-rc
1.2.3-rc_1
1.2.3beta
v1.2.3-beta.4+c and 5.6.7
none
é1.2
007.08.009`.split('\n')

let seed = 1
const random = n => {
  seed = (seed + 0x6d2b79f5) | 0
  let x = Math.imul(seed ^ (seed >>> 15), seed | 1)
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
  return Math.floor(((x ^ (x >>> 14)) >>> 0) / 4294967296 * n)
}
const pick = list => list[random(list.length)]
const number = () => pick(['0', '0', '1', '1', '1', '2', '2', '3', '10', '9', '00', '01'].concat(random(40) ? [] : ['9007199254740991', '9007199254740992', '123456789012345678901234']))
const identifier = () => pick(['0', '1', '2', '10', 'a', 'alpha', 'beta', 'rc', 'b-1', '-', '01', '1a', 'A', 'x', 'v', '9007199254740993'])
const tail = () => [0, 1].includes(random(5)) ? (random(12) ? '-' : '') + Array.from({ length: 1 + random(3) }, identifier).join('.') + (random(6) ? '' : '+' + identifier()) : random(15) ? '' : '+b.1'
const version = () => pick(['', '', '', '', '', '', '', '', 'v', '=', '= ']) + `${number()}.${number()}.${number()}${tail()}`
const tidy = () => `${random(4)}.${random(4)}.${random(4)}` + (random(3) ? '' : '-' + Array.from({ length: 1 + random(2) }, () => pick(['0', '1', '2', 'a', 'b', 'rc', '10'])).join('.'))
const partial = () => random(2) ? version() : Array.from({ length: 1 + random(3) }, () => random(4) ? number() : pick(['x', 'X', '*'])).join('.') + (random(8) ? '' : tail())
const op = () => pick(['', '', '', '^', '^', '^', '~', '~', '~>', '>', '>=', '<', '<=', '=', '> ', '^ ', '~ ', '>= ', '~> ', '>  '])
const comparator = () => op() + partial()
const set = () => random(6) ? Array.from({ length: 1 + random(3) }, comparator).join(' ') : `${partial()} - ${partial()}`
const junk = () => Array.from({ length: 1 + random(10) }, () => pick(['1', '2', '0', '.', '.', ' ', '-', '+', '||', '|', '^', '~', '>', '<', '=', '*', 'x', 'v', 'a', '1.2.3', '0.0.0', '-0', '\t', '\u00a0'])).join('')
const range = () => random(12) ? Array.from({ length: 1 + random(random(3) + 1) }, set).join(pick([' || ', '||', '|| ', '  ||'])) : junk()
const plain = () => pick(['', '^', '~', '>', '>=', '<', '<=', '']) + (random(4) ? tidy() : tidy().replace(/\.\d.*$/, ''))
const simple = () => Array.from({ length: 1 + random(2) }, () => Array.from({ length: 1 + random(2) }, plain).join(' ')).join('||')
const list = n => Array.from({ length: n }, tidy)

const header = { npm: require(path.join(npm, 'package.json')).version, semver: require(path.join(npm, 'node_modules/semver/package.json')).version, node: process.version }
out.push(JSON.stringify(header))

if (process.argv[3] === 'random') {
  seed = +process.argv[4]
  for (let i = 0; i < +process.argv[5]; i++) {
    record.valid(version())
    record.valid(junk())
    const [a, b] = [version(), version()]
    if (semver.valid(a, true) && semver.valid(b, true)) {
      record.compare(a, b)
    }
    record.compare(tidy(), tidy())
    record.range(range())
    record.satisfies(version(), range())
    record.satisfies(tidy(), range())
    record.satisfies(tidy(), simple())
    record.min(simple())
    record.min(range())
    record.outside(tidy(), simple())
    record.intersects(simple(), simple())
    record.intersects(range(), range())
    record.subset(simple(), simple())
    record.subset(range(), range())
    record.inc(tidy(), pick(releases), pick(ids), pick([undefined, false, '0', '1']))
    record.coerce(junk() + version() + junk())
    const versions = list(random(8))
    record.max(versions, simple())
    record.simplify([...new Set(versions)], simple())
  }
} else {
  texts.forEach(record.valid)
  const valid = texts.filter(t => semver.valid(t, true))
  valid.forEach((a, i) => {
    for (const step of [1, 3, 7, 12]) {
      record.compare(a, valid[(i + step) % valid.length])
    }
  })
  ranges.forEach(record.range)
  ranges.forEach(record.min)
  ranges.forEach((r, i) => {
    for (let k = 0; k < 6; k++) {
      record.satisfies(versions[(i * 7 + k * 11) % versions.length], r)
    }
    record.satisfies(texts[(i * 5) % texts.length], r)
    record.satisfies(texts[(i * 5 + 40) % texts.length], r)
    record.outside(versions[(i * 3) % versions.length], r)
    record.outside(versions[(i * 3 + 17) % versions.length], r)
    for (const step of [1, 4, 9, 31]) {
      record.intersects(r, ranges[(i + step) % ranges.length])
      record.subset(r, ranges[(i + step * 2) % ranges.length])
    }
    record.subset(r, r)
    record.max(versions.slice(i % 20, i % 20 + 15), r)
  })
  versions.forEach((v, i) => releases.forEach((release, k) => {
    record.inc(v, release, '', undefined)
    record.inc(v, release, ids[(i + k) % ids.length], [undefined, false, '1'][(i + k) % 3])
  }))
  coercible.forEach(record.coerce)
  for (let i = 0; i < 60; i++) {
    record.simplify([...new Set(list(random(10)))], simple())
  }
}
process.stdout.write(out.join('\n') + '\n')
