// Records npm.json, the options and aliases that npm's commands have, from npm itself.
//
//	node record.js <directory of npm> > npm.json
'use strict'
const path = require('path')
const npm = path.resolve(process.argv[2])
const { commands, aliases } = require(npm + '/lib/utils/cmd-list.js')
const out = { npm: require(npm + '/package.json').version, commands: {} }
for (const name of commands) {
  const Command = require(`${npm}/lib/commands/${name}`)
  out.commands[name] = {
    options: Command.params || [],
    aliases: Object.keys(aliases).filter(a => aliases[a] === name).sort(),
  }
  for (const [sub, Sub] of Object.entries(Command.subcommands || {})) {
    // What a subcommand declares itself stands in its definitions.
    const own = (Sub.definitions || []).map(d => d.key)
    out.commands[`${name} ${sub}`] = { options: [...(Sub.params || []), ...own.filter(k => !(Sub.params || []).includes(k))], aliases: [] }
  }
}
process.stdout.write(JSON.stringify(out, null, 1) + '\n')
