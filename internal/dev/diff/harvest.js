// Reads the packuments of a recording and prints the pool of package versions
// that random projects are made of: one line per package, its name and the
// versions whose whole dependency closure the recording can answer for.
//
// usage: node harvest.js RECORDING NPM_DIR
'use strict'
const fs = require('fs')
const path = require('path')
const zlib = require('zlib')

const [recording, npm] = process.argv.slice(2)
const semver = require(path.join(npm, 'node_modules/semver'))
const pick = require(path.join(npm, 'node_modules/npm-pick-manifest'))
const npa = require(path.join(npm, 'node_modules/npm-package-arg'))

const packuments = new Map()
const shards = path.join(recording, 'packuments')
for (const shard of fs.readdirSync(shards).sort()) {
  for (const file of fs.readdirSync(path.join(shards, shard)).sort()) {
    if (!file.endsWith('.json.gz')) continue
    const doc = JSON.parse(zlib.gunzipSync(fs.readFileSync(path.join(shards, shard, file))))
    for (const v of Object.keys(doc.versions || {})) {
      const m = doc.versions[v]
      doc.versions[v] = {
        name: m.name, version: m.version, deprecated: m.deprecated, engines: m.engines,
        dependencies: m.dependencies, optionalDependencies: m.optionalDependencies,
        peerDependencies: m.peerDependencies, peerDependenciesMeta: m.peerDependenciesMeta,
        bundled: m.bundleDependencies || m.bundledDependencies, shrinkwrap: m._hasShrinkwrap,
      }
    }
    packuments.set(doc.name, { name: doc.name, 'dist-tags': doc['dist-tags'], versions: doc.versions })
  }
}

const tarballs = new Set()
for (const shard of fs.readdirSync(path.join(recording, 'tarballs'))) {
  for (const file of fs.readdirSync(path.join(recording, 'tarballs', shard))) {
    tarballs.add(decodeURIComponent(file))
  }
}
const hasTarball = (n, v) => tarballs.has(`${n}/-/${n.replace(/^@[^/]*\//, '')}-${v}.tgz`)

const picks = new Map()
const picked = (name, raw) => {
  const key = name + '@' + raw
  if (picks.has(key)) return picks.get(key)
  let to = null
  try {
    const s = npa.resolve(name, raw)
    const real = s.type === 'alias' ? s.subSpec : s
    const doc = packuments.get(real.name)
    if (doc && real.registry) to = real.name + ' ' + pick(doc, real.rawSpec, { avoidStrict: false }).version
  } catch { /* nothing satisfies it, or it is not from the registry */ }
  picks.set(key, to)
  return to
}

// the greatest set of versions that need nothing outside the set
const needs = new Map()
for (const [name, doc] of packuments) {
  for (const [v, m] of Object.entries(doc.versions)) {
    if (m.shrinkwrap || (Array.isArray(m.bundled) ? m.bundled.length : m.bundled)) continue
    const out = []
    for (const [n, r] of Object.entries({ ...m.dependencies, ...m.optionalDependencies })) out.push(picked(n, r))
    for (const [n, r] of Object.entries(m.peerDependencies || {})) {
      if (!(m.peerDependenciesMeta && m.peerDependenciesMeta[n] && m.peerDependenciesMeta[n].optional)) out.push(picked(n, r))
    }
    needs.set(name + ' ' + v, out)
  }
}
for (let again = true; again;) {
  again = false
  for (const [id, out] of needs) {
    if (out.some(x => x === null || !needs.has(x))) {
      needs.delete(id)
      again = true
    }
  }
}
const closure = (id) => {
  const seen = new Set([id])
  for (const x of seen) for (const y of needs.get(x)) seen.add(y)
  return seen
}

const pool = []
for (const [name, doc] of packuments) {
  // ^ and ~ of a version must not lead out of the set either
  const all = (v, ok) => semver.valid(v) && ['', '^', '~'].every(op => ok(picked(name, op + v)))
  const spread = (list, n) => list.filter((v, i) => i === list.length - 1 || i % Math.ceil(list.length / (n - 1)) === 0)
  const closed = Object.keys(doc.versions).filter(v => semver.valid(v) && needs.has(name + ' ' + v)).sort(semver.compare)
  // spread over the whole history with the newest always in
  const some = spread(spread(closed, 30).filter(v => all(v, id => needs.has(id))), 14)
  if (!some.length) continue
  const newest = closure(name + ' ' + some[some.length - 1])
  if (newest.size > 150) continue
  const latest = doc.versions[some[some.length - 1]]
  pool.push({
    name,
    versions: some,
    tags: Object.keys(doc['dist-tags'] || {}).filter(t => needs.has(name + ' ' + doc['dist-tags'][t])).slice(0, 4),
    deps: Object.keys({ ...latest.dependencies, ...latest.optionalDependencies }).slice(0, 12),
    peers: Object.keys(latest.peerDependencies || {}).slice(0, 6),
    open: ['*', 'latest', '>=' + some[some.length - 1]].every(r => needs.has(picked(name, r))),
    stored: Object.keys(doc.versions).filter(v => hasTarball(name, v) && all(v, id =>
      needs.has(id) && [...closure(id)].every(x => hasTarball(...x.split(' '))))),
    size: newest.size,
  })
}
pool.sort((a, b) => a.name < b.name ? -1 : 1)
// packages with peers and with many dependencies make the interesting trees
const interesting = pool.filter(p => p.peers.length || p.size > 12)
const plain = pool.filter(p => !interesting.includes(p))
const want = Math.max(0, 420 - interesting.length)
const chosen = new Set([...interesting, ...plain.filter((p, i) => i % Math.max(1, Math.floor(plain.length / want)) === 0)])
process.stderr.write(`${packuments.size} packuments, ${needs.size} closed versions, ${pool.length} packages, ${interesting.length} interesting, ${chosen.size} chosen\n`)
process.stdout.write('[\n' + pool.filter(p => chosen.has(p)).map(p => JSON.stringify(p)).join(',\n') + '\n]\n')
