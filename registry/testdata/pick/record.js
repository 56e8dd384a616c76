// Records what npm's npm-pick-manifest chooses for many made-up packuments.
//
//	node record.js /usr/lib/node_modules/npm > recorded.json
//
// Each case has a packument, what was wanted, the options, and npm's answer: the
// version with its flags, or the error's code and sentence.
const { join } = require('node:path')
const npm = process.argv[2]
const pick = require(join(npm, 'node_modules/npm-pick-manifest'))
const { version } = require(join(npm, 'package.json'))

let seed = 1
const random = n => {
  seed = (seed * 1103515245 + 12345) % 2147483648
  return Math.floor(seed / 2147483648 * n)
}
const oneOf = list => list[random(list.length)]
const some = chance => random(100) < chance

const bases = ['0.0.1', '0.1.0', '0.1.2', '0.2.0', '1.0.0', '1.0.1', '1.1.0', '1.2.3', '1.10.0', '2.0.0', '2.0.1', '2.1.0', '3.0.0', '10.0.0']
const odd = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-beta', '2.0.0-rc.1', '2.0.0-rc.2', '2.0.0-rc.10', '3.0.0-0', '3.0.0-next.5', '1.0.0+build', '1.2.3+b2',
  '0.0.0-canary', 'v1.3.0', '=1.4.0', '01.5.0', '1.6.0beta', 'not-a-version', '7', '1.2']
const wanteds = ['', '*', 'x', 'latest', 'next', 'missing', '1', '1.x', '^1', '^1.0.0', '~1.0.0', '~1', '>=1.0.0', '<2', '<=2.0.0', '>1 <3', '1.0.0 - 2.0.0', '^0', '^0.1', '^0.0.1',
  '1.0.0', '=1.0.0', 'v1.0.0', '1.2.3', '9.9.9', '^9', '^1.0.0-alpha', '>=2.0.0-rc.1', '2.0.0-rc.2', '~2.0.0-rc.1', '1 || 3', '^1 || ^2.0.0-rc.1', '>=0.0.0-0', '<1.0.0', '*-0', '1.0.0+build', '1.3.0', '01.5.0', '1.6.0-beta', '7', '^3.0.0-0', '>=3.0.0-0 <4', '<3.0.0-0', 'not-a-version', '>1.0.0-alpha']
const engines = [undefined, undefined, undefined, {}, { node: '>=18' }, { node: '>=99' }, { node: '^14 || >=20' }, { npm: '>=9' }, { npm: '<5' }, { node: '*', npm: '>=99' }, { node: '' }, ['node >= 0.4'], { node: 'garbage' }]
const deprecations = [undefined, undefined, undefined, undefined, '', 'do not use', false, true]

const day = 24 * 3600e3
const start = Date.UTC(2020, 0, 1)

const manifest = v => {
  const m = { name: 'pkg', version: v }
  const e = oneOf(engines)
  if (e !== undefined) m.engines = e
  const d = oneOf(deprecations)
  if (d !== undefined) m.deprecated = d
  return m
}

const packument = () => {
  const all = [...bases.filter(() => some(55)), ...odd.filter(() => some(20))]
  if (some(30)) all.sort(() => random(3) - 1)
  const versions = {}
  for (const v of all) versions[v] = manifest(v)
  const names = Object.keys(versions)
  const doc = { name: 'pkg' }
  if (some(95)) {
    doc['dist-tags'] = {}
    if (some(92)) doc['dist-tags'].latest = oneOf(names.length ? names : ['1.0.0'])
    if (some(50)) doc['dist-tags'].next = oneOf([...names, '8.8.8'])
    if (some(10)) doc['dist-tags'].old = oneOf([...names, '0.0.1'])
  }
  if (some(98)) doc.versions = versions
  if (some(75)) {
    doc.time = { created: new Date(start).toISOString(), modified: new Date(start + 99 * day).toISOString() }
    names.forEach((v, i) => {
      if (some(95)) doc.time[v] = new Date(start + (some(85) ? i : random(40)) * day).toISOString()
    })
    if (some(4) && names.length) doc.time[names[0]] = 'rubbish'
  }
  if (some(15)) {
    doc.stagedVersions = { versions: {} }
    for (const v of ['1.9.0', '4.0.0', '2.0.0']) if (some(50)) doc.stagedVersions.versions[v] = manifest(v)
  }
  if (some(15)) {
    doc.policyRestrictions = { message: 'not allowed here', versions: {} }
    for (const v of ['1.2.3', '2.1.0', '5.0.0']) if (some(60)) doc.policyRestrictions.versions[v] = manifest(v)
  }
  return doc
}

const options = () => {
  const o = { nodeVersion: oneOf(['v20.11.0', '14.0.0', '18.0.0-pre']) }
  if (some(30)) o.npmVersion = oneOf(['11.19.1', '4.0.0'])
  if (some(20)) o.before = new Date(start + random(20) * day).toISOString()
  if (some(15)) o.defaultTag = oneOf(['next', 'old', 'nope'])
  if (some(20)) o.avoid = oneOf(['<2', '1.x', '>=1.0.0 <3.0.0', '*', '2.0.0 || 3.0.0', '<=1.2.3'])
  if (o.avoid && some(50)) o.avoidStrict = true
  if (some(25)) o.includeStaged = true
  return o
}

const cases = []
for (let i = 0; i < 260; i++) {
  const doc = packument()
  for (let j = 0; j < 6; j++) {
    const wanted = oneOf(wanteds)
    const opts = options()
    const c = { doc: i, wanted, opts }
    try {
      const m = pick(doc, wanted, opts)
      c.version = m.version
      for (const k of ['_shouldAvoid', '_outsideDependencyRange', '_isSemVerMajor']) if (m[k]) c[k] = true
    } catch (err) {
      c.code = err.code || err.name
      // The date is in the recorder's own time zone.
      if (!opts.before) c.message = err.message
    }
    cases.push(c)
  }
  cases.push({ doc: i, packument: doc })
}
const docs = cases.filter(c => c.packument).map(c => c.packument)
console.log('{"npm":' + JSON.stringify(version) + ',\n"packuments":[\n' + docs.map(d => JSON.stringify(d)).join(',\n') +
  '\n],\n"cases":[\n' + cases.filter(c => !c.packument).map(c => JSON.stringify(c)).join(',\n') + '\n]}')
