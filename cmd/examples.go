package cmd

import "github.com/spf13/cobra"

// examplesOf is what the help of a command shows as examples, without ibid's
// name: its own, or one of these.
func examplesOf(c *cobra.Command) []string {
	switch c.Name() {
	case "access":
		return []string{"access list packages", "access get status @example/tool", "access set status=public @example/tool"}
	case "approve-scripts":
		return []string{"approve-scripts esbuild", "approve-scripts --all"}
	case "audit":
		return []string{"audit", "audit --audit-level=high --omit=dev", "audit fix", "audit signatures"}
	case "bugs", "docs", "repo":
		return []string{c.Name(), c.Name() + " react"}
	case "cache":
		return []string{"cache add react@19", "cache ls", "cache verify", "cache clean --force"}
	case "ci":
		return []string{"ci", "ci --omit=dev", "ci --ignore-scripts"}
	case "dedupe":
		return []string{"dedupe --dry-run", "dedupe"}
	case "deny-scripts":
		return []string{"deny-scripts core-js"}
	case "doctor":
		return []string{"doctor", "doctor connection versions"}
	case "edit":
		return []string{"edit react", "edit react --editor=\"code --wait\""}
	case "exec":
		return []string{"exec eslint -- --fix", "exec --package=cowsay@1.6 -- cowsay hi", "exec -c 'eslint && tsc'", "exec -w packages/a -- tsc"}
	case "explore":
		return []string{"explore react", "explore react -- ls"}
	case "find-dupes":
		return []string{"find-dupes"}
	case "fund":
		return []string{"fund", "fund react", "fund --json"}
	case "get":
		return []string{"get registry"}
	case "help":
		return []string{"help install", "help save-exact"}
	case "help-search":
		return []string{"help-search peer dependencies"}
	case "init":
		return []string{"init", "init -y", "init vite@latest my-app", "init -w packages/a -y"}
	case "install":
		return []string{"install", "install react", "install -D typescript@~5.9", "install ../library", "install -g cowsay", "install react -w packages/a"}
	case "install-ci-test", "install-test":
		return []string{c.Name()}
	case "install-scripts":
		return []string{"install-scripts ls", "install-scripts approve esbuild", "install-scripts prune"}
	case "ll":
		return []string{"ll", "ll react"}
	case "logout":
		return []string{"logout", "logout --registry=https://registry.example.com/"}
	case "org":
		return []string{"org ls example", "org set example ann developer", "org rm example ann"}
	case "outdated":
		return []string{"outdated", "outdated --json", "outdated -g"}
	case "owner":
		return []string{"owner ls react", "owner add ann example", "owner rm ann example"}
	case "ping":
		return []string{"ping", "ping --registry=https://registry.example.com/"}
	case "bin", "prefix", "root":
		return []string{c.Name(), c.Name() + " -g"}
	case "profile":
		return []string{"profile get", "profile set email ann@example.com", "profile enable-2fa auth-and-writes"}
	case "prune":
		return []string{"prune", "prune --omit=dev", "prune --dry-run"}
	case "rebuild":
		return []string{"rebuild", "rebuild better-sqlite3"}
	case "restart", "start", "stop":
		return []string{c.Name()}
	case "search":
		return []string{"search router", "search router --json --searchlimit=5"}
	case "set":
		return []string{"set save-exact=true"}
	case "team":
		return []string{"team ls @example", "team create @example:core", "team add @example:core ann"}
	case "test":
		return []string{"test", "test -- --watch", "test --workspaces --if-present"}
	case "token":
		return []string{"token list", "token create --name=ci --expires=30", "token revoke 4f2e1c"}
	case "undeprecate":
		return []string{"undeprecate example@1.2.3"}
	case "uninstall":
		return []string{"uninstall left-pad", "uninstall -g cowsay", "uninstall left-pad -w packages/a"}
	case "update":
		return []string{"update", "update react", "update --save", "update -g"}
	case "whoami":
		return []string{"whoami", "whoami --registry=https://registry.example.com/"}
	}
	return nil
}
