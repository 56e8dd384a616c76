// Runs one npm command after another in one process. Starting npm and reading
// the same packuments again takes most of a small command's time: packuments are
// kept here, and each command gets copies of what it looks at.
//
// usage: node oracle.js NPM_DIR
//
// Each line on stdin is {"cwd": …, "args": […]}; the line that answers on stdout
// is {"exit": …, "out": …} with all that npm printed. The rest of each command
// is npm's own: what its entry.js does, without ending the process.
'use strict'
const path = require('path')
const readline = require('readline')
const { PassThrough } = require('stream')

const npmDir = path.resolve(process.argv[2])
const cli = path.join(npmDir, 'bin/npm-cli.js')
const environment = { ...process.env }
const packuments = new Map()

// One command's view of the packuments.
class PackumentCache {
  #copies = new Map()

  has (key) {
    return packuments.has(key)
  }

  get (key) {
    if (!this.#copies.has(key)) {
      this.#copies.set(key, view(packuments.get(key)))
    }
    return this.#copies.get(key)
  }

  set (key, packument) {
    packuments.set(key, packument)
    this.#copies.delete(key)
  }

  delete (key) {
    packuments.delete(key)
    this.#copies.delete(key)
  }
}

// npm normalises the manifests that it takes out of a packument in place.
const view = (packument) => {
  const copies = new Map()
  const { versions = {}, ...rest } = packument
  return {
    ...structuredClone(rest),
    versions: new Proxy({ ...versions }, {
      get: (target, key) => {
        if (typeof key !== 'string' || !Object.hasOwn(target, key)) {
          return target[key]
        }
        if (!copies.has(key)) {
          copies.set(key, structuredClone(target[key]))
        }
        return copies.get(key)
      },
    }),
  }
}

const cacheModule = require.resolve(path.join(npmDir, 'node_modules/@npmcli/arborist/lib/packument-cache.js'))
require.cache[cacheModule] = { id: cacheModule, filename: cacheModule, loaded: true, exports: PackumentCache }

require(path.join(npmDir, 'node_modules/graceful-fs')).gracefulify(require('fs'))
const Npm = require(path.join(npmDir, 'lib/npm.js'))

const uncaught = []
process.on('uncaughtException', (err) => uncaught.splice(0).forEach(fail => fail(err)))
process.on('unhandledRejection', (err) => uncaught.splice(0).forEach(fail => fail(err)))

// Links that npm has made it does not make again, in one process.
const binLinks = require(path.join(npmDir, 'node_modules/bin-links'))

const run = async ({ cwd, args }) => {
  binLinks.resetSeen()
  for (const key of Object.keys(process.env)) {
    if (!Object.hasOwn(environment, key)) {
      delete process.env[key]
    }
  }
  Object.assign(process.env, environment)
  process.chdir(cwd)
  process.argv = [process.execPath, cli, ...args]
  process.exitCode = undefined
  let out = ''
  const stream = () => new PassThrough().on('data', (chunk) => out += chunk)
  const npm = new Npm({ stdout: stream(), stderr: stream() })
  let err
  const crash = new Promise((resolve, reject) => uncaught.push(reject))
  try {
    await Promise.race([crash, (async () => {
      const { exec, command, args: rest } = await npm.load()
      if (exec && command) {
        await npm.exec(command, rest)
      }
    })()])
  } catch (e) {
    err = e
  }
  uncaught.length = 0
  await Promise.all(npm.unrefPromises).catch(() => {})
  const exit = err?.exitCode ?? process.exitCode ?? (err ? 1 : 0)
  await new Promise(resolve => setImmediate(resolve))
  npm.unload()
  return { exit, out: out + (err && !npm.loaded ? String(err.stack) : '') }
}

const answer = async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await run(JSON.parse(line))) + '\n')
  }
}
answer()
