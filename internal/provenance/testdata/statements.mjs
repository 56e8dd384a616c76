// Records the statements that npm makes for GitHub Actions and GitLab CI.
//
//   node statements.mjs PATH-TO-NPM > statements.json
//
// npm's own code (libnpmpublish lib/provenance.js) runs with a sigstore that
// gives back what it was to sign.
import { createRequire } from 'node:module'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const npm = process.argv[2]
if (process.argv[3]) {
  const require = createRequire(join(npm, 'node_modules/libnpmpublish/lib/publish.js'))
  const sigstore = require.resolve('sigstore')
  require.cache[sigstore] = { id: sigstore, filename: sigstore, loaded: true, exports: { attest: payload => payload.toString() } }
  const { generateProvenance } = require('./provenance.js')
  process.stdout.write(await generateProvenance(JSON.parse(process.argv[3]), {}))
  process.exit()
}
const subject = [{ name: 'pkg:npm/%40scope/example@1.2.3', digest: { sha512: 'ab'.repeat(64) } }]
const github = {
  GITHUB_ACTIONS: 'true', GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'owner/repo', GITHUB_REPOSITORY_ID: '1', GITHUB_REPOSITORY_OWNER_ID: '2',
  GITHUB_WORKFLOW_REF: 'owner/repo/.github/workflows/publish.yml@refs/heads/main', GITHUB_EVENT_NAME: 'push', GITHUB_REF: 'refs/heads/main', GITHUB_SHA: 'cd'.repeat(20),
  GITHUB_RUN_ID: '3', GITHUB_RUN_ATTEMPT: '1', RUNNER_ENVIRONMENT: 'github-hosted',
}
const names = execFileSync('grep', ['-oh', 'env\\.[A-Z_0-9]*', join(npm, 'node_modules/libnpmpublish/lib/provenance.js')]).toString()
const gitlab = { GITLAB_CI: 'true' }
for (const name of new Set(names.split('\n').map(x => x.slice(4)))) {
  if (name && !name.startsWith('GITHUB_')) {
    gitlab[name] = name === 'CI_PROJECT_URL' ? 'https://gitlab.com/group/project' : `the "${name.toLowerCase()}" <é>\n`
  }
}
gitlab.GITLAB_CI = 'true'
const cases = {
  'GitHub Actions': github,
  'GitHub Actions, hardly anything set': { GITHUB_ACTIONS: 'true' },
  'GitHub Actions, a workflow without a ref': { ...github, GITHUB_WORKFLOW_REF: 'owner/repo/.github/workflows/publish.yml' },
  'GitHub Actions, a tag with an @': { ...github, GITHUB_REF: 'refs/tags/@scope/a@1', GITHUB_WORKFLOW_REF: 'owner/repo/.github/workflows/publish.yml@refs/tags/@scope/a@1' },
  'GitHub Actions, empty values': Object.fromEntries(Object.keys(github).map(k => [k, k === 'GITHUB_ACTIONS' ? 'true' : ''])),
  'GitLab CI': gitlab,
  'GitLab CI, hardly anything set': { GITLAB_CI: 'true' },
  'GitLab CI on GitHub Actions': { ...github, GITLAB_CI: 'true', CI_PROJECT_URL: 'https://gitlab.com/a/b' },
}
const out = []
for (const [name, env] of Object.entries(cases)) {
  const statement = execFileSync(process.execPath, [new URL(import.meta.url).pathname, npm, JSON.stringify(subject)], { env: { PATH: process.env.PATH, ...env } }).toString()
  out.push({ name, env, statement })
}
const { version } = createRequire(import.meta.url)(join(npm, 'package.json'))
process.stdout.write(JSON.stringify({ npm: version, subject: subject[0], cases: out }, null, 1) + '\n')
