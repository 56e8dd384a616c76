package main

import "maps"

// client is a program that calls npm, and a project for it to work on.
type client struct {
	name    string
	install []string // dev dependencies, beside the client itself
	files   map[string]string
	// steps are shell commands, run in the project one after the other. What
	// starts with "#" is run without being compared: it prepares the next.
	steps []string
	// remote makes the project's remote "origin" a repository of its own.
	remote bool
	// because says why the client does not behave as with npm 11, if it does not.
	because string
	// free are parts of paths of files whose content may differ.
	free []string
}

// monorepo is two workspaces, of which b needs a.
func monorepo(extra map[string]string) map[string]string {
	files := map[string]string{
		"package.json": `{
  "name": "mono",
  "version": "1.0.0",
  "private": true,
  "packageManager": "npm@11.19.1",
  "workspaces": [
    "packages/*"
  ],
  "scripts": {
    "build": "echo root"
  }
}
`,
		"packages/a/package.json": `{
  "name": "@mono/a",
  "version": "1.0.0",
  "license": "MIT",
  "scripts": {
    "build": "mkdir -p dist && echo a > dist/out.txt && echo built a",
    "test": "node -e \"console.log('tested a with', process.env.npm_lifecycle_event)\""
  },
  "dependencies": {
    "is-odd": "^3.0.1"
  }
}
`,
		"packages/a/index.js": "module.exports = require('is-odd')\n",
		"packages/b/package.json": `{
  "name": "@mono/b",
  "version": "1.0.0",
  "license": "MIT",
  "scripts": {
    "build": "mkdir -p dist && cat ../a/dist/out.txt > dist/out.txt && echo built b"
  },
  "dependencies": {
    "@mono/a": "^1.0.0"
  }
}
`,
		"packages/b/index.js": "module.exports = require('@mono/a')\n",
	}
	maps.Copy(files, extra)
	return files
}

// single is one package with a few dependencies.
func single(extra map[string]string) map[string]string {
	files := map[string]string{
		"package.json": `{
  "name": "single",
  "version": "1.0.0",
  "description": "One package",
  "private": true,
  "license": "MIT",
  "repository": "github:example/single",
  "scripts": {
    "test": "node index.js"
  },
  "dependencies": {
    "is-odd": "^3.0.0",
    "left-pad": "1.2.0",
    "ms": "2.0.0"
  }
}
`,
		"index.js": "console.log(require('is-odd')(3), require('ms')('1h'))\n",
	}
	maps.Copy(files, extra)
	return files
}

var clients = []client{
	{
		name: "lerna", files: monorepo(map[string]string{"lerna.json": `{"version": "1.0.0", "npmClient": "npm"}` + "\n"}),
		steps: []string{
			"npx lerna ls --all --json",
			"npx lerna run build",
			"npx lerna run test --scope @mono/a",
			"npx lerna exec -- npm prefix",
			"npx lerna version patch --yes --no-push --allow-branch main",
			"# git log -1 --format=%s > last-commit.txt",
		},
		// With --package-lock-only npm writes into the hidden lock what it has
		// decided, as if it were installed; ibid leaves it alone.
		free: []string{".nx/", "node_modules/.package-lock.json"},
	},
	{
		name: "nx", files: monorepo(map[string]string{"nx.json": `{"targetDefaults": {"build": {"dependsOn": ["^build"], "cache": true}}, "release": {"projects": ["packages/*"]}, "analytics": false}` + "\n"}),
		steps: []string{
			"npx nx show projects",
			"npx nx run-many -t build --outputStyle=static --skip-nx-cache",
			"npx nx run @mono/a:test --outputStyle=static",
			"npx nx release version 1.1.0 --git-commit=false --git-tag=false",
			"npx nx report | grep -v -e Native -e OS -e Usage",
		},
		free: []string{".nx/"},
	},
	{
		name: "turbo", files: monorepo(map[string]string{"turbo.json": `{"tasks": {"build": {"dependsOn": ["^build"], "outputs": ["dist/**"]}}}` + "\n"}),
		steps: []string{
			"npx turbo run build --output-logs=full --log-order=grouped --no-daemon",
			"npx turbo ls --output=json --no-daemon",
			"npx turbo prune @mono/b",
		},
		free: []string{".turbo/"},
	},
	{
		name: "semantic-release", remote: true,
		files: single(map[string]string{".releaserc.json": `{
  "branches": ["main"],
  "plugins": [
    "@semantic-release/commit-analyzer",
    "@semantic-release/release-notes-generator",
    ["@semantic-release/npm", {"npmPublish": false, "tarballDir": "out"}]
  ]
}
`}),
		steps: []string{
			"# git tag v1.0.0 && git push -q origin main v1.0.0",
			"# echo x > new.txt && git add new.txt && git commit -q -m 'feat: something new' && git push -q origin main",
			"npx semantic-release --dry-run --no-ci --repository-url \"$(git remote get-url origin)\"",
			"npx semantic-release --no-ci --repository-url \"$(git remote get-url origin)\"",
			"git tag",
			"node -p 'require(\"./package.json\").version'",
		},
	},
	{
		name: "release-it", remote: true, files: single(nil),
		steps: []string{
			"# git push -q -u origin main",
			"npx release-it --dry-run --ci --no-github.release --npm.skipChecks",
			"npx release-it patch --ci --no-npm.publish --no-git.push",
			"git tag",
			"node -p 'require(\"./package.json\").version'",
		},
	},
	{
		name: "np", remote: true,
		because: "np looks for a list in what `npm pack --json` prints, as npm 11 has it; from npm 12 on it is an object by name, and np fails in the same way: beside npm 12.2 nothing differs",
		files:   single(map[string]string{".npmrc": "fund=false\n"}),
		steps: []string{
			"# npm pkg delete private && npm pkg set name=single-that-nobody-has && git commit -qam public && git push -q -u origin main",
			"npx np patch --preview --yolo --no-release-draft --any-branch",
			"git status --short",
		},
	},
	{
		name: "npm-check-updates", files: single(nil),
		steps: []string{
			"npx ncu --target minor --jsonUpgraded",
			"npx ncu --packageManager npm --target patch",
			"npx ncu -u --target minor --filter 'left-pad,ms'",
			"npm install",
			"npx ncu --doctor -u --target minor --filter ms",
			"npm install -g left-pad@1.2.0",
			"npx ncu -g --jsonUpgraded --target minor",
		},
	},
	{
		name: "license-checker", files: single(nil),
		steps: []string{
			"npx license-checker --json --production",
			"npx license-checker --summary",
			"npx license-checker --onlyAllow MIT --production --csv",
		},
	},
	{
		name: "depcheck", files: single(nil),
		steps: []string{"npx depcheck --json", "npx depcheck --skip-missing=true"},
	},
	{
		name: "husky", files: single(nil),
		steps: []string{
			"npx husky init",
			"cat .husky/pre-commit",
			"# echo y > committed.txt && git add committed.txt",
			"git commit -q -m hooked && git log -1 --format=%s",
			"npm pkg set scripts.test='exit 3'",
			"# echo z > refused.txt && git add refused.txt",
			"git commit -q -m refused; git log -1 --format=%s",
			"npm run prepare",
		},
	},
	{
		// It installs what the lock calls "resolved", a tarball's URL, which npm 12
		// and ibid allow only where that is said; npm 11 asks nobody.
		name: "patch-package", files: single(map[string]string{".npmrc": "allow-remote=root\n"}),
		steps: []string{
			"npm pkg set scripts.postinstall=patch-package",
			"# sed -i.bak '1s/^/\\/\\/ patched\\n/' node_modules/is-odd/index.js && rm node_modules/is-odd/index.js.bak",
			"npx patch-package is-odd",
			"cat patches/*.patch",
			"# rm -rf node_modules",
			"npm ci",
			"head -1 node_modules/is-odd/index.js",
			"npx patch-package --reverse",
			"head -1 node_modules/is-odd/index.js",
		},
	},
	{
		name: "@cyclonedx/cyclonedx-npm", files: single(nil),
		because: "npm 11 runs the install script of the optional libxmljs2, which fails here without a compiler for it, and leaves the package out; npm 12 runs none that is not approved, and keeps it. `npm sbom` names the project as npm 12 does. Beside npm 12.2 nothing differs but the version of npm",
		steps: []string{
			"npx cyclonedx-npm --output-reproducible --omit dev",
			"npx cyclonedx-npm --output-reproducible --package-lock-only --output-format XML --omit dev",
			"npx cyclonedx-npm --output-reproducible --flatten-components --output-file bom.json",
			"npm sbom --sbom-format cyclonedx --omit dev",
		},
	},
}
