// Has npm's own library verify a bundle that ibid made:
//
//   npm install --prefix DIR sigstore@5.0.0 && node npm.mjs DIR
//
// DIR is a folder that "go run . DIR" wrote. sigstore asks a TUF repository whom
// to trust, so the one in DIR is served to it. A bundle that was changed must not
// verify.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const dir = resolve(process.argv[2])
const sigstore = createRequire(join(dir, 'x.js'))('sigstore')
const server = createServer((q, s) => {
  try {
    s.end(readFileSync(join(dir, 'tuf', decodeURIComponent(q.url))))
  } catch {
    s.writeHead(404).end()
  }
})
await new Promise(done => server.listen(0, '127.0.0.1', done))
const cache = mkdtempSync(join(tmpdir(), 'tuf-'))
const options = { tufMirrorURL: `http://127.0.0.1:${server.address().port}`, tufRootPath: join(dir, 'tuf', '1.root.json'), tufCachePath: cache, retry: false }
const bundle = JSON.parse(readFileSync(join(dir, 'bundle.json')))
let status = 0
try {
  const signer = await sigstore.verify(bundle, options)
  console.log('verified', signer.identity.subjectAlternativeName, signer.identity.extensions.issuer)
  const wrong = structuredClone(bundle)
  wrong.dsseEnvelope.payload = Buffer.from('{}').toString('base64')
  await sigstore.verify(wrong, options).then(() => {
    console.log('another statement verifies as well')
    status = 1
  }, e => console.log('another statement:', e.message))
} catch (e) {
  console.log(e)
  status = 1
}
server.close()
rmSync(cache, { recursive: true })
process.exit(status)
