// Asks npm which versions depend on something vulnerable, of packages whose versions
// and dependencies are drawn at random, and writes down what it says:
//
//	node record.js /path/to/npm >metavuln.json
const path = require('node:path')
const npm = process.argv[2]
const Advisory = require(path.join(npm, 'node_modules/@npmcli/metavuln-calculator/lib/advisory.js'))

let state = 20261127
const random = n => Math.floor((state = (state * 1103515245 + 12345) % 2147483648) / 65536) % n

const source = new Advisory('dep', { source: 1, name: 'dep', dependency: 'dep', range: '1.0.0', vulnerable_versions: '1.0.0', severity: 'high' })
source.load({}, { name: 'dep', versions: { '1.0.0': {}, '2.0.0': {} } })

const cases = []
for (let i = 0; i < 300; i++) {
  const versions = {}
  let hit = random(2) === 0
  for (let major = random(2); major < 3; major++) {
    for (let minor = 0; minor < 1 + random(3); minor++) {
      for (let patch = 0; patch < random(6); patch++) {
        for (const pre of ['-a.1', '-a.2', '-b.10', '']) {
          if (random(pre ? 3 : 6) === 0) {
            continue
          }
          if (random(7) === 0) {
            hit = !hit
          }
          if (!pre || random(2) === 0) {
            versions[`${major}.${minor}.${patch}${pre}`] = hit
          }
        }
      }
    }
  }
  if (!Object.keys(versions).length) {
    continue
  }
  const packument = { name: 'p', versions: {} }
  for (const [v, bad] of Object.entries(versions)) {
    packument.versions[v] = { dependencies: { dep: bad ? '1.0.0' : '2.0.0' } }
  }
  const advisory = new Advisory('p', source)
  advisory.load({}, packument)
  cases.push(JSON.stringify({ versions, vulnerable: advisory.vulnerableVersions, range: advisory.range }))
}
console.log(`{"npm":"${require(path.join(npm, 'package.json')).version}","cases":[\n${cases.join(',\n')}\n]}`)
