// Records what npm does for "stage" and "trust": the requests that it sends, what
// it prints and how it ends.
//
//   node record.mjs PATH-TO-NPM/bin/npm-cli.js > recorded.json
//
// Each case is a folder, a command line and the answers of a registry. The
// registry's address stands as REGISTRY in all that is recorded.
import { createServer } from 'node:http'
import { spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync, mkdirSync, readFileSync, existsSync, rmSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'

const cli = process.argv[2]
const id = '8b9b3f4e-1c2d-4e5f-8a9b-0c1d2e3f4a5b'
const item = (n, more) => ({
  id: id.replace(/.$/, String(n)), packageName: '@scope/example', version: `1.0.${n}`, tag: 'latest',
  createdAt: '2026-01-02T03:04:05.678Z', actor: 'ann', actorType: 'user', shasum: 'ab'.repeat(20), status: 'staged', ...more,
})
const pkg = more => ({ 'package.json': JSON.stringify({ name: '@scope/example', version: '1.2.3', license: 'MIT', ...more }, null, 2) + '\n', 'index.js': 'module.exports = 1\n' })
const json = (method, path, body, status = 200, headers = {}) => ({ method, path, status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })

// A tarball with one file, as tar wants it.
const tarball = manifest => {
  const data = Buffer.from(JSON.stringify(manifest))
  const head = Buffer.alloc(512)
  head.write('package/package.json', 0)
  head.write('0000644\0', 100)
  head.write('0000000\0', 108)
  head.write('0000000\0', 116)
  head.write(data.length.toString(8).padStart(11, '0') + '\0', 124)
  head.write('00000000000\0', 136)
  head.write('        ', 148)
  head.write('0', 156)
  head.write('ustar\0' + '00', 257)
  head.write(head.reduce((a, b) => a + b, 0).toString(8).padStart(6, '0') + '\0 ', 148)
  return gzipSync(Buffer.concat([head, data, Buffer.alloc(512 - data.length % 512 + 1024)]))
}
const trusted = (type, claims, more) => ({ id: id.replace(/^8/, '1'), type, claims, permissions: ['createPackage'], ...more })
const trust = '/-/package/@scope%2fexample/trust'
const github = { repository: 'owner/repo', workflow_ref: { file: 'publish.yml' } }
const uuid = c => `${c.repeat(8)}-${c.repeat(4)}-4${c.repeat(3)}-8${c.repeat(3)}-${c.repeat(12)}`
const circle = ['--org-id', uuid('a'), '--project-id', uuid('b'), '--pipeline-definition-id', uuid('c'), '--vcs-origin', 'github.com/owner/repo']
const repository = { repository: 'github:owner/repo' }
const allow = ['--allow-publish', '--yes']

const cases = {
  // stage publish
  'a package is staged': { argv: ['stage', 'publish'], files: pkg(), answers: [json('POST', '/-/stage/package/@scope%2fexample', { stageId: id }, 201)] },
  'a package is staged, as JSON': { argv: ['stage', 'publish', '--json'], files: pkg(), answers: [json('POST', '/-/stage/package/@scope%2fexample', { stageId: id }, 201)] },
  'a package is staged with tag and access': { argv: ['stage', 'publish', '--tag', 'next', '--access', 'public'], files: pkg(), answers: [json('POST', '/-/stage/package/@scope%2fexample', { stageId: id }, 201)] },
  'a registry gives no stage id': { argv: ['stage', 'publish'], files: pkg(), answers: [json('POST', '/-/stage/package/@scope%2fexample', {}, 200)] },
  'nothing is staged in a dry run': { argv: ['stage', 'publish', '--dry-run'], files: pkg(), answers: [] },
  'a private package is not staged': { argv: ['stage', 'publish'], files: pkg({ private: true }), answers: [] },
  'staging may not be allowed': { argv: ['stage', 'publish'], files: pkg(), answers: [json('POST', '/-/stage/package/@scope%2fexample', { error: 'not allowed' }, 403)] },
  'staging asks for no one-time password': { argv: ['stage', 'publish'], files: pkg(), answers: [json('POST', '/-/stage/package/@scope%2fexample', {}, 401, { 'www-authenticate': 'OTP' })] },
  // stage list
  'what is staged is listed': { argv: ['stage', 'list'], answers: [json('GET', '/-/stage', { items: [item(1), item(2, { actorType: null, extra: 'more', nothing: null, flag: true, n: 3 })], total: 2 })] },
  'what is staged is listed as JSON': { argv: ['stage', 'list', '--json'], answers: [json('GET', '/-/stage', { items: [item(1), item(2)], total: 2 })] },
  'nothing is staged': { argv: ['stage', 'list'], answers: [json('GET', '/-/stage', { items: [], total: 0 })] },
  'nothing is staged of a package': { argv: ['stage', 'list', '@scope/example'], answers: [json('GET', '/-/stage', { items: [], total: 0 })] },
  'nothing is staged, as JSON': { argv: ['stage', 'list', '--json'], answers: [json('GET', '/-/stage', { items: [], total: 0 })] },
  'one package is listed': { argv: ['stage', 'list', '@scope/example'], answers: [json('GET', '/-/stage', { items: [item(1)], total: 1 })] },
  'a version cannot be listed': { argv: ['stage', 'list', '@scope/example@1.0.0'], answers: [] },
  'a tag cannot be listed': { argv: ['stage', 'list', 'example@latest'], answers: [] },
  'a list has pages': {
    argv: ['stage', 'list', '--json'],
    answers: [0, 1].map(page => ({ ...json('GET', '/-/stage', { items: Array.from({ length: page ? 3 : 100 }, (_, i) => ({ id: `${page}-${i}` })), total: 103 }), query: `page=${page}` })),
  },
  'a list needs a login': { argv: ['stage', 'list'], answers: [json('GET', '/-/stage', { error: 'who are you' }, 401)] },
  // stage view
  'a staged package is shown': { argv: ['stage', 'view', id], answers: [json('GET', `/-/stage/${id}`, item(1))] },
  'a staged package is shown as JSON': { argv: ['stage', 'view', id, '--json'], answers: [json('GET', `/-/stage/${id}`, item(1, { nested: { a: [1] } }))] },
  'what to show must be said': { argv: ['stage', 'view'], answers: [] },
  'what to show must be a UUID': { argv: ['stage', 'view', '../../-/whoami'], answers: [] },
  'two things cannot be shown': { argv: ['stage', 'view', id, id], answers: [] },
  'a staged package may be gone': { argv: ['stage', 'view', id], answers: [json('GET', `/-/stage/${id}`, { error: 'not found' }, 404)] },
  // stage approve
  'a staged package is approved': { argv: ['stage', 'approve', id], answers: [json('POST', `/-/stage/${id}/approve`, { ok: true })] },
  'a staged package is approved with a one-time password': { argv: ['stage', 'approve', id, '--otp', '123456'], answers: [json('POST', `/-/stage/${id}/approve`, { ok: true })] },
  'approving wants a one-time password': { argv: ['stage', 'approve', id], answers: [json('POST', `/-/stage/${id}/approve`, {}, 401, { 'www-authenticate': 'OTP' })] },
  'what to approve must be a UUID': { argv: ['stage', 'approve', 'x'], answers: [] },
  'approving comes too late': { argv: ['stage', 'approve', id], answers: [json('POST', `/-/stage/${id}/approve`, { error: 'already approved' }, 409)] },
  // stage reject
  'a staged package is rejected': { argv: ['stage', 'reject', id], answers: [{ method: 'DELETE', path: `/-/stage/${id}`, status: 204, headers: {}, body: '' }] },
  'what to reject must be said': { argv: ['stage', 'reject'], answers: [] },
  'rejecting may not be allowed': { argv: ['stage', 'reject', id], answers: [json('DELETE', `/-/stage/${id}`, { error: 'no' }, 403)] },
  // stage download
  'a staged tarball is downloaded': { argv: ['stage', 'download', id], answers: [{ method: 'GET', path: `/-/stage/${id}/tarball`, status: 200, headers: { 'content-type': 'application/octet-stream' }, base64: tarball({ name: '@scope/example', version: '1.2.3' }).toString('base64') }] },
  'a staged tarball is downloaded, as JSON': { argv: ['stage', 'download', id, '--json'], answers: [{ method: 'GET', path: `/-/stage/${id}/tarball`, status: 200, headers: {}, base64: tarball({ name: 'plain', version: '0.0.1' }).toString('base64') }] },
  'a staged tarball may be gone': { argv: ['stage', 'download', id], answers: [json('GET', `/-/stage/${id}/tarball`, { error: 'not found' }, 404)] },
  // stage
  'stage needs a subcommand': { argv: ['stage'], answers: [] },
  'stage knows its subcommands': { argv: ['stage', 'nonsense'], answers: [] },

  // trust github
  'GitHub is trusted': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repo', 'owner/repo', ...allow], answers: [json('POST', trust, [trusted('github', github)], 201)] },
  'GitHub is trusted, as JSON': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repository', 'owner/repo', '--env', 'production', '--json', ...allow], answers: [json('POST', trust, [trusted('github', { ...github, environment: 'production' })], 201)] },
  'GitHub is trusted by package.json': { argv: ['trust', 'github', '--file', 'publish.yml', '--allow-stage-publish', '--allow-publish', '--yes'], files: pkg(repository), answers: [json('POST', trust, trusted('github', github, { permissions: ['createPackage', 'createStagedPackage'] }), 201)] },
  'another repository than the one of package.json': { argv: ['trust', 'github', '--file', 'publish.yml', '--repo', 'other/repo', ...allow], files: pkg(repository), answers: [json('POST', trust, [], 201)] },
  'package.json is of another host': { argv: ['trust', 'github', '--file', 'publish.yml', '--repo', 'other/repo', ...allow], files: pkg({ repository: 'gitlab:owner/repo' }), answers: [json('POST', trust, [trusted('github', github)], 201)] },
  'package.json is of another host and no repository is given': { argv: ['trust', 'github', '--file', 'publish.yml', ...allow], files: pkg({ repository: 'gitlab:owner/repo' }), answers: [] },
  'trusting is a dry run': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repo', 'owner/repo', '--allow-publish', '--dry-run'], answers: [] },
  'trusting is not confirmed': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repo', 'owner/repo', '--allow-publish', '--no-yes'], answers: [] },
  'trusting needs a permission': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repo', 'owner/repo', '--yes'], answers: [] },
  'trusting needs a file': { argv: ['trust', 'github', '@scope/example', '--repo', 'owner/repo', ...allow], answers: [] },
  'a workflow is YAML': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.js', '--repo', 'owner/repo', ...allow], answers: [] },
  'a workflow is no path': { argv: ['trust', 'github', '@scope/example', '--file', 'a/publish.yml', '--repo', 'owner/repo', ...allow], answers: [] },
  'a repository has an owner': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repo', 'repo', ...allow], answers: [] },
  'trusting needs a repository': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', ...allow], answers: [] },
  'trusting needs a repository of the package': { argv: ['trust', 'github', '--file', 'publish.yml', ...allow], files: pkg(), answers: [] },
  'trusting needs a package': { argv: ['trust', 'github', '--file', 'publish.yml', '--repo', 'owner/repo', ...allow], answers: [] },
  'a flag and its alias': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repo', 'owner/repo', '--repository', 'owner/repo', ...allow], answers: [] },
  'trusting wants a one-time password': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repo', 'owner/repo', ...allow], answers: [json('POST', trust, {}, 401, { 'www-authenticate': 'OTP' })] },
  'trusted already': { argv: ['trust', 'github', '@scope/example', '--file', 'publish.yml', '--repo', 'owner/repo', ...allow], answers: [json('POST', trust, { error: 'exists' }, 409)] },
  // trust gitlab
  'GitLab is trusted': { argv: ['trust', 'gitlab', '@scope/example', '--file', '.gitlab-ci.yml', '--project', 'group/sub/project', '--environment', 'production', ...allow], answers: [json('POST', trust, [trusted('gitlab', { project_path: 'group/sub/project', ci_config_ref_uri: { file: '.gitlab-ci.yml' }, environment: 'production' })], 201)] },
  'GitLab is trusted by package.json': { argv: ['trust', 'gitlab', '--file', '.gitlab-ci.yml', '--allow-staged-publish', '--yes'], files: pkg({ repository: 'gitlab:owner/repo' }), answers: [json('POST', trust, [trusted('gitlab', { project_path: 'owner/repo', ci_config_ref_uri: { file: '.gitlab-ci.yml' } })], 201)] },
  'a project has a group': { argv: ['trust', 'gitlab', '@scope/example', '--file', '.gitlab-ci.yml', '--project', 'project', ...allow], answers: [] },
  'a pipeline is no path': { argv: ['trust', 'gitlab', '@scope/example', '--file', 'ci/x.yml', '--project', 'a/b', ...allow], answers: [] },
  // trust circleci
  'CircleCI is trusted': { argv: ['trust', 'circleci', '@scope/example', ...circle, ...allow], answers: [json('POST', trust, [trusted('circleci', { 'oidc.circleci.com/org-id': uuid('a'), 'oidc.circleci.com/project-id': uuid('b'), 'oidc.circleci.com/pipeline-definition-id': uuid('c'), 'oidc.circleci.com/vcs-origin': 'github.com/owner/repo' })], 201)] },
  'CircleCI is trusted with contexts': { argv: ['trust', 'circleci', '@scope/example', ...circle, '--context-id', uuid('d'), '--context-id', uuid('e'), ...allow], answers: [json('POST', trust, [trusted('circleci', { 'oidc.circleci.com/context-ids': [uuid('d'), uuid('e')] })], 201)] },
  'CircleCI is trusted, as JSON': { argv: ['trust', 'circleci', '@scope/example', ...circle, '--context-id', uuid('d'), '--json', ...allow], answers: [json('POST', trust, [trusted('circleci', { 'oidc.circleci.com/context-ids': [uuid('d')] })], 201)] },
  'an origin has no scheme': { argv: ['trust', 'circleci', '@scope/example', ...circle.slice(0, 7), 'https://github.com/owner/repo', ...allow], answers: [] },
  'an origin has three parts': { argv: ['trust', 'circleci', '@scope/example', ...circle.slice(0, 7), 'owner/repo', ...allow], answers: [] },
  'CircleCI needs an origin': { argv: ['trust', 'circleci', '@scope/example', ...circle.slice(0, 6), ...allow], answers: [] },
  'CircleCI needs an organization': { argv: ['trust', 'circleci', '@scope/example', ...allow], answers: [] },
  'an organization is a UUID': { argv: ['trust', 'circleci', '@scope/example', '--org-id', 'x', ...circle.slice(2), ...allow], answers: [] },
  'a context is a UUID': { argv: ['trust', 'circleci', '@scope/example', ...circle, '--context-id', 'x', ...allow], answers: [] },
  // trust list
  'who is trusted is listed': {
    argv: ['trust', 'list', '@scope/example'],
    answers: [json('GET', trust, [trusted('github', { ...github, environment: 'production' }), trusted('gitlab', { project_path: 'a/b', ci_config_ref_uri: { file: 'x.yml' } }, { permissions: ['createPackage', 'createStagedPackage', 'other'] }),
      trusted('circleci', { 'oidc.circleci.com/org-id': uuid('a'), 'oidc.circleci.com/context-ids': [uuid('d'), uuid('e')] }, { permissions: undefined }), trusted('other', { a: 1 }, { permissions: [] })])],
  },
  'who is trusted is listed as JSON': { argv: ['trust', 'list', '@scope/example', '--json'], answers: [json('GET', trust, [trusted('github', github), trusted('gitlab', {})])] },
  'nobody is trusted': { argv: ['trust', 'list', '@scope/example'], answers: [json('GET', trust, [])] },
  'nobody is trusted, as JSON': { argv: ['trust', 'list', '@scope/example', '--json'], answers: [json('GET', trust, [])] },
  'who is trusted with the package of package.json': { argv: ['trust', 'list'], files: pkg(), answers: [json('GET', trust, trusted('github', github))] },
  'no package to list': { argv: ['trust', 'list'], answers: [] },
  'a list may be refused': { argv: ['trust', 'list', '@scope/example'], answers: [json('GET', trust, { error: 'no' }, 403)] },
  // trust revoke
  'trust is revoked': { argv: ['trust', 'revoke', '@scope/example', '--id', 'a/b c'], answers: [{ method: 'DELETE', path: `${trust}/a%2Fb%20c`, status: 204, headers: {}, body: '' }] },
  'trust is revoked in a dry run': { argv: ['trust', 'revoke', '@scope/example', '--id', 'x', '--dry-run'], answers: [] },
  'what to revoke must be said': { argv: ['trust', 'revoke', '@scope/example'], answers: [] },
  'there is nothing to revoke': { argv: ['trust', 'revoke', '@scope/example', '--id', 'x'], answers: [json('DELETE', `${trust}/x`, { error: 'not found' }, 404)] },
  // trust
  'trust needs a subcommand': { argv: ['trust'], answers: [] },
  'two packages cannot be trusted': { argv: ['trust', 'list', 'a', 'b'], answers: [] },
}

const kept = ['authorization', 'content-type', 'npm-command', 'npm-auth-type', 'npm-otp', 'accept', 'npm-scope']

async function record (name, { argv, files = {}, answers }) {
  const root = mkdtempSync(join(tmpdir(), 'record-'))
  const home = join(root, 'home')
  const cwd = join(root, 'package')
  mkdirSync(home)
  mkdirSync(cwd)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, file)), { recursive: true })
    writeFileSync(join(cwd, file), text)
  }
  const requests = []
  const server = createServer((q, s) => {
    const chunks = []
    q.on('data', c => chunks.push(c))
    q.on('end', () => {
      const [path, query = ''] = q.url.split('?')
      const headers = {}
      for (const k of kept) {
        if (q.headers[k] !== undefined) {
          headers[k] = q.headers[k]
        }
      }
      requests.push({ method: q.method, url: q.url, headers, body: Buffer.concat(chunks).toString() })
      const a = answers.find(x => x.method === q.method && x.path === path && query.includes(x.query ?? '')) ??
        { status: 404, headers: {}, body: '{}' }
      s.writeHead(a.status, a.headers)
      s.end(a.base64 ? Buffer.from(a.base64, 'base64') : a.body)
    })
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const registry = `http://127.0.0.1:${server.address().port}/`
  writeFileSync(join(home, '.npmrc'), `registry=${registry}\n${registry.slice(5)}:_authToken=tt\n`)
  const child = spawn(process.execPath, [cli, ...argv], {
    cwd,
    env: { HOME: home, USERPROFILE: home, PATH: process.env.PATH, npm_config_cache: join(root, 'cache'), npm_config_update_notifier: 'false', npm_config_fetch_retries: '0', npm_config_logs_max: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', d => { stdout += d })
  child.stderr.on('data', d => { stderr += d })
  const status = await new Promise(resolve => child.on('close', resolve))
  server.close()
  server.closeAllConnections()
  const written = {}
  for (const file of readdirSync(cwd)) {
    if (!(file in files)) {
      written[file] = createHash('sha256').update(readFileSync(join(cwd, file))).digest('hex')
    }
  }
  rmSync(root, { recursive: true })
  const neutral = s => s.replaceAll(registry, 'REGISTRY/')
  return {
    name, argv, files, answers,
    requests: requests.filter(r => r.method !== 'GET' || r.url.startsWith('/-/')).map(r => ({ ...r, body: neutral(r.body) })),
    stdout: neutral(stdout), stderr: neutral(stderr), status, written,
  }
}

const version = JSON.parse(readFileSync(join(dirname(cli), '..', 'package.json'))).version
if (!existsSync(cli)) {
  throw new Error('node record.mjs PATH-TO-NPM/bin/npm-cli.js')
}
const out = []
for (const [name, c] of Object.entries(cases)) {
  out.push(await record(name, c))
}
process.stdout.write(JSON.stringify({ npm: version, cases: out }, null, 1) + '\n')
