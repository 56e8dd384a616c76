package config

var (
	null = Value{kind: Null}
	yes  = Value{kind: Bool, num: 1}
	no   = Value{kind: Bool}

	text     = []Type{{Kind: TypeString}}
	boolean  = []Type{{Kind: TypeBoolean}}
	number   = []Type{{Kind: TypeNumber}}
	pathname = []Type{{Kind: TypePath}}

	textOrNull     = []Type{{Kind: TypeNull}, {Kind: TypeString}}
	booleanOrNull  = []Type{{Kind: TypeNull}, {Kind: TypeBoolean}}
	numberOrNull   = []Type{{Kind: TypeNull}, {Kind: TypeNumber}}
	pathnameOrNull = []Type{{Kind: TypeNull}, {Kind: TypePath}}

	texts       = []Type{{Kind: TypeString}, {Kind: TypeArray}}
	textsOrNull = []Type{{Kind: TypeNull}, {Kind: TypeString}, {Kind: TypeArray}}
	allNoneRoot = []Type{{TypeLiteral, "all"}, {TypeLiteral, "none"}, {TypeLiteral, "root"}}
)

// definitions is npm 12.2's table (@npmcli/config lib/definitions/definitions.js)
// with shrinkwrap of npm 11, sorted by key. It is never changed.
var definitions = [...]Definition{
	{
		Key: "_auth", order: 0, Types: textOrNull, Default: null,
		Description: "Basic credentials (base64 of user:password) for the default registry. Write them as \"//host/:_auth\" in a file instead.",
	},
	{
		Key: "access", order: 1,
		Types:   []Type{{Kind: TypeNull}, {TypeLiteral, "restricted"}, {TypeLiteral, "public"}, {TypeLiteral, "private"}},
		Default: null, DefaultText: "public for new packages, unchanged for others",
		Description: "Whether the published package is public or restricted (private); only scoped packages may be restricted. Existing packages keep their level.",
	},
	{
		Key: "all", order: 2, Types: boolean, Default: no, Short: "a",
		Description: "Show or act on every package, not only direct dependencies.",
	},
	{
		Key: "allow-directory", order: 4, Types: allNoneRoot, Default: NewString("all"),
		Description: "Which dependencies on local directories may be installed: all, none, or only the project's own (root).",
	},
	{
		Key: "allow-file", order: 5, Types: allNoneRoot, Default: NewString("all"),
		Description: "Which dependencies on local tarballs may be installed: all, none, or only the project's own (root).",
	},
	{
		Key: "allow-git", order: 6, Types: allNoneRoot, Default: NewString("none"),
		Description: "Which dependencies on git repositories may be installed: all, none, or only the project's own (root).",
	},
	{
		Key: "allow-remote", order: 7, Types: allNoneRoot, Default: NewString("none"),
		Description: "Which dependencies on tarball URLs may be installed: all, none, or only the project's own (root). Tarballs on the registry's host are always allowed.",
	},
	{
		Key: "allow-same-version", order: 3, Types: boolean, Default: no,
		Description: "Let \"version\" set the version that the package already has.",
	},
	{
		Key: "allow-scripts", order: 8, Types: texts, Default: NewString(""), Hint: "<package-list>", NoEnv: true,
		Description: "Comma-separated packages whose install scripts may run, for exec and global installs. Projects use allowScripts in package.json.",
	},
	{
		Key: "allow-scripts-pending", order: 128, Types: boolean, Default: no,
		Description: "List packages whose install scripts are neither approved nor denied, without changing package.json.",
	},
	{
		Key: "allow-scripts-pin", order: 129, Types: boolean, Default: yes,
		Description: "Approve the installed version only; with false, every version of the package.",
	},
	{
		Key: "allow-unused-patches", order: 122, Types: boolean, Default: no, Since: 12,
		Description: "Install although a registered patch matches no installed package. Only on the command line.",
	},
	{
		Key: "also", order: 9,
		Types:   []Type{{Kind: TypeNull}, {TypeLiteral, "dev"}, {TypeLiteral, "development"}},
		Default: null, Deprecated: "use --include=dev",
		Description: "With \"dev\": include dev dependencies.",
	},
	{
		Key: "audit", order: 10, Types: boolean, Default: yes,
		Description: "Ask the registry for known vulnerabilities after an install.",
	},
	{
		Key: "audit-level", order: 11,
		Types:       []Type{{Kind: TypeNull}, {TypeLiteral, "info"}, {TypeLiteral, "low"}, {TypeLiteral, "moderate"}, {TypeLiteral, "high"}, {TypeLiteral, "critical"}, {TypeLiteral, "none"}},
		Default:     null,
		Description: "The lowest severity that makes \"audit\" exit with an error.",
	},
	{
		Key: "auth-type", order: 12, Types: []Type{{TypeLiteral, "legacy"}, {TypeLiteral, "web"}}, Default: NewString("web"),
		Description: "How \"login\" authenticates: in the browser (web) or with a user name and password (legacy). A one-time password implies legacy.",
	},
	{
		Key: "before", order: 13, Types: []Type{{Kind: TypeNull}, {Kind: TypeDate}}, Default: null, Hint: "<date>",
		Description: "Only consider versions published on or before this date.",
	},
	{
		Key: "bin-links", order: 14, Types: boolean, Default: yes,
		Description: "Link the executables of packages into node_modules/.bin.",
	},
	{
		Key: "browser", order: 15,
		Types:   []Type{{Kind: TypeNull}, {Kind: TypeBoolean}, {Kind: TypeString}},
		Default: null, DefaultText: "open, start or xdg-open, by platform",
		Description: "The program that opens web pages; false prints the address, true takes the system's.",
	},
	{
		Key: "bypass-2fa", order: 16, Types: boolean, Default: no,
		Description: "Let the created token publish without a second factor.",
	},
	{
		Key: "ca", order: 17, Types: textsOrNull, Default: null,
		Description: "Certificate authorities (PEM, newlines as \\n) to trust instead of the usual ones; may be given several times.",
	},
	{
		Key: "cache", order: 18,
		Types: pathname, Default: NewString("~/.npm"), DefaultText: "~/.npm, on Windows %LocalAppData%\\npm-cache",
		Description: "Where downloads and metadata are cached.",
	},
	{
		Key: "cache-max", order: 19, Types: number, Default: null, DefaultText: "Infinity", Deprecated: "use --prefer-online",
		Description: "With 0: prefer-online.",
	},
	{
		Key: "cache-min", order: 20, Types: number, Default: NewNumber(0), Deprecated: "use --prefer-offline",
		Description: "With 9999 or more: prefer-offline.",
	},
	{
		Key: "cafile", order: 21, Types: pathname, Default: null,
		Description: "A file of certificate authorities (PEM) to trust instead of the usual ones.",
	},
	{
		Key: "call", order: 22, Types: text, Default: NewString(""), Short: "c",
		Description: "A command line for \"exec\" to run in a shell, with the packages' executables on PATH.",
	},
	{
		Key: "cert", order: 23, Types: textOrNull, Default: null, Deprecated: "use //host/:certfile and //host/:keyfile",
		Description: "A client certificate (PEM, newlines as \\n) for the registry.",
	},
	{
		Key: "cidr", order: 24, Types: textsOrNull, Default: null,
		Description: "Addresses (CIDR) that the created token may be used from.",
	},
	{
		Key: "color", order: 25,
		Types:   []Type{{TypeLiteral, "always"}, {Kind: TypeBoolean}},
		Default: yes, DefaultText: "true unless NO_COLOR is set to something other than 0",
		Description: "Colour the output: true where a terminal is attached, always, or false.",
	},
	{
		Key: "commit-hooks", order: 26, Types: boolean, Default: yes,
		Description: "Run git's commit hooks when \"version\" commits.",
	},
	{
		Key: "cpu", order: 27, Types: textOrNull, Default: null,
		Description: "Choose packages for this CPU instead of the machine's; values as in package.json's cpu.",
	},
	{
		Key: "dangerously-allow-all-scripts", order: 28, Types: boolean, Default: no,
		Description: "Run the install scripts of every dependency, approved or not.",
	},
	{
		Key: "depth", order: 29, Types: numberOrNull, Default: null, DefaultText: "Infinity with --all, else 0",
		Description: "How deep \"ls\" descends; with --all without limit.",
	},
	{
		Key: "description", order: 30, Types: boolean, Default: yes,
		Description: "Show descriptions in \"search\".",
	},
	{
		Key: "dev", order: 31, Types: boolean, Default: no, Deprecated: "use --include=dev",
		Description: "Include dev dependencies.",
	},
	{
		Key: "diff", order: 32, Types: texts, Default: NewList(), Hint: "<package-spec>",
		Description: "What \"diff\" compares: one or two package specs.",
	},
	{
		Key: "diff-dst-prefix", order: 36, Types: text, Default: NewString("b/"), Hint: "<path>",
		Description: "Prefix of the right side's paths in \"diff\".",
	},
	{
		Key: "diff-ignore-all-space", order: 33, Types: boolean, Default: no,
		Description: "Ignore white space when \"diff\" compares lines.",
	},
	{
		Key: "diff-name-only", order: 34, Types: boolean, Default: no,
		Description: "Print only the names of files that differ.",
	},
	{
		Key: "diff-no-prefix", order: 35, Types: boolean, Default: no,
		Description: "Print paths in \"diff\" without prefixes.",
	},
	{
		Key: "diff-src-prefix", order: 37, Types: text, Default: NewString("a/"), Hint: "<path>",
		Description: "Prefix of the left side's paths in \"diff\".",
	},
	{
		Key: "diff-text", order: 38, Types: boolean, Default: no,
		Description: "Treat every file as text in \"diff\".",
	},
	{
		Key: "diff-unified", order: 39, Types: number, Default: NewNumber(3),
		Description: "Lines of context in \"diff\".",
	},
	{
		Key: "dry-run", order: 40, Types: boolean, Default: no,
		Description: "Say what would be done, and do nothing.",
	},
	{
		Key: "edit-dir", order: 124, Types: pathnameOrNull, Default: null, Since: 12,
		Description: "Where \"patch add\" unpacks the package to edit.",
	},
	{
		Key: "editor", order: 41,
		Types: text, Default: NewString(""), DefaultText: "EDITOR, VISUAL, or vi (notepad.exe on Windows)",
		Description: "The program for \"edit\" and \"config edit\".",
	},
	{
		Key: "engine-strict", order: 42, Types: boolean, Default: no,
		Description: "Fail on a package whose engines exclude the current node, instead of warning.",
	},
	{
		Key: "expect-result-count", order: 43,
		Types: numberOrNull, Default: null, Hint: "<count>", Exclusive: []string{"expect-results"},
		Description: "Exit with an error unless the command finds exactly this many results.",
	},
	{
		Key: "expect-results", order: 44, Types: booleanOrNull, Default: null, Exclusive: []string{"expect-result-count"},
		Description: "Exit with an error unless there are results (true) or none (false).",
	},
	{
		Key: "expires", order: 45, Types: numberOrNull, Default: null,
		Description: "Days until the created token expires.",
	},
	{
		Key: "extension-file", order: 46, Types: pathnameOrNull, Default: null, Since: 12,
		Description: "The project's npm extension to load, a .mjs or .cjs file inside the project. Only from the project's .npmrc or the command line.",
	},
	{
		Key: "fetch-retries", order: 47, Types: number, Default: NewNumber(2),
		Description: "How often a failed request is tried again.",
	},
	{
		Key: "fetch-retry-factor", order: 48, Types: number, Default: NewNumber(10),
		Description: "How the wait grows from one try to the next.",
	},
	{
		Key: "fetch-retry-maxtimeout", order: 49, Types: number, Default: NewNumber(60000),
		Description: "The longest wait between tries, in milliseconds.",
	},
	{
		Key: "fetch-retry-mintimeout", order: 50, Types: number, Default: NewNumber(10000),
		Description: "The first wait between tries, in milliseconds.",
	},
	{
		Key: "fetch-timeout", order: 51, Types: number, Default: NewNumber(300000),
		Description: "How long a request may stay silent, in milliseconds.",
	},
	{
		Key: "force", order: 52, Types: boolean, Default: no, Short: "f",
		Description: "Drop protections: overwrite files that are not ours, ignore engines and platforms, resolve conflicting peers, unpublish, and so on.",
	},
	{
		Key: "foreground-scripts", order: 53, Types: boolean, Default: no,
		Description: "Run install scripts one by one with their output shown.",
	},
	{
		Key: "format-package-lock", order: 54, Types: boolean, Default: yes,
		Description: "Write package-lock.json with indentation.",
	},
	{
		Key: "fund", order: 55, Types: boolean, Default: yes,
		Description: "Mention packages that look for funding after an install.",
	},
	{
		Key: "git", order: 56, Types: text, Default: NewString("git"),
		Description: "The git program.",
	},
	{
		Key: "git-tag-version", order: 57, Types: boolean, Default: yes,
		Description: "Commit and tag when \"version\" changes the version.",
	},
	{
		Key: "global", order: 58, Types: boolean, Default: no, Short: "g",
		Description: "Work on the global packages under prefix instead of the project's.",
	},
	{
		Key: "global-ignore-file", order: 60,
		Types: pathname, Default: NewString(""), Since: 12, DefaultText: "<prefix>/etc/npmignore",
		Description: "A further ignore file of yours for pack and publish, on top of each package's own.",
	},
	{
		Key: "global-style", order: 61, Types: boolean, Default: no, Deprecated: "use --install-strategy=shallow",
		Description: "Only direct dependencies at the top of node_modules.",
	},
	{
		Key: "globalconfig", order: 59, Types: pathname, Default: NewString(""), DefaultText: "<prefix>/etc/npmrc",
		Description: "The global configuration file.",
	},
	{
		Key: "heading", order: 62, Types: text, Default: NewString("npm"),
		Description: "The first word of each line of the log.",
	},
	{
		Key: "https-proxy", order: 63,
		Types: []Type{{Kind: TypeNull}, {Kind: TypeURL}}, Default: null, DefaultText: "null, HTTPS_PROXY or HTTP_PROXY",
		Description: "The proxy for https requests. Without it HTTPS_PROXY and HTTP_PROXY are used.",
	},
	{
		Key: "if-present", order: 64, Types: boolean, Default: no, NoEnv: true,
		Description: "Do not fail when the script to run is not defined.",
	},
	{
		Key: "ignore-existing", order: 125, Types: boolean, Default: no, Since: 12,
		Description: "With \"patch add\", throw away an unfinished edit and begin anew.",
	},
	{
		Key: "ignore-extension", order: 65, Types: boolean, Default: no, Since: 12,
		Description: "Do not run the project's npm extension file.",
	},
	{
		Key: "ignore-patch-failures", order: 123, Types: boolean, Default: no, Since: 12,
		Description: "Install although a registered patch does not apply. Only on the command line.",
	},
	{
		Key: "ignore-scripts", order: 66, Types: boolean, Default: no,
		Description: "Do not run scripts of package.json, except the one asked for by name. Implies ignore-extension.",
	},
	{
		Key: "include", order: 67,
		Types:       []Type{{Kind: TypeArray}, {TypeLiteral, "prod"}, {TypeLiteral, "dev"}, {TypeLiteral, "optional"}, {TypeLiteral, "peer"}},
		Default:     NewList(),
		Description: "Dependency types to install even if omitted.",
	},
	{
		Key: "include-attestations", order: 70, Types: boolean, Default: no,
		Description: "Print the whole attestation bundles in \"audit signatures --json\".",
	},
	{
		Key: "include-staged", order: 68, Types: boolean, Default: no,
		Description: "Let versions be installed that are staged and not yet published.",
	},
	{
		Key: "include-workspace-root", order: 69, Types: boolean, Default: no, NoEnv: true,
		Description: "Run the command in the root project as well as in the workspaces.",
	},
	{
		Key: "init-author-email", order: 71, Types: text, Default: NewString(""), Hint: "<email>",
		Description: "The author's email for \"init\".",
	},
	{
		Key: "init-author-name", order: 72, Types: text, Default: NewString(""), Hint: "<name>",
		Description: "The author's name for \"init\".",
	},
	{
		Key: "init-author-url", order: 73,
		Types: []Type{{TypeLiteral, ""}, {Kind: TypeURL}}, Default: NewString(""), Hint: "<url>",
		Description: "The author's home page for \"init\".",
	},
	{
		Key: "init-license", order: 74, Types: text, Default: NewString(""), Hint: "<license>",
		Description: "The license for \"init\"; without it the field is left out.",
	},
	{
		Key: "init-module", order: 75, Types: pathname, Default: NewString("~/.npm-init.js"), Hint: "<module>",
		Description: "A module that \"init\" loads.",
	},
	{
		Key: "init-private", order: 78, Types: boolean, Default: no,
		Description: "Mark packages private in \"init\".",
	},
	{
		Key: "init-type", order: 76, Types: text, Default: NewString("commonjs"), Hint: "<type>",
		Description: "The package's module type for \"init\".",
	},
	{
		Key: "init-version", order: 77, Types: []Type{{Kind: TypeSemver}}, Default: NewString("1.0.0"), Hint: "<version>",
		Description: "The first version for \"init\".",
	},
	{
		Key: "init.author.email", order: 79, Types: text, Default: NewString(""), Deprecated: "use init-author-email",
		Description: "Same as init-author-email.",
	},
	{
		Key: "init.author.name", order: 80, Types: text, Default: NewString(""), Deprecated: "use init-author-name",
		Description: "Same as init-author-name.",
	},
	{
		Key: "init.author.url", order: 81,
		Types: []Type{{TypeLiteral, ""}, {Kind: TypeURL}}, Default: NewString(""), Deprecated: "use init-author-url",
		Description: "Same as init-author-url.",
	},
	{
		Key: "init.license", order: 82, Types: text, Default: NewString(""), Deprecated: "use init-license",
		Description: "Same as init-license.",
	},
	{
		Key: "init.module", order: 83, Types: pathname, Default: NewString("~/.npm-init.js"), Deprecated: "use init-module",
		Description: "Same as init-module.",
	},
	{
		Key: "init.version", order: 84,
		Types: []Type{{Kind: TypeSemver}}, Default: NewString("1.0.0"), Deprecated: "use init-version",
		Description: "Same as init-version.",
	},
	{
		Key: "install-links", order: 85, Types: boolean, Default: no,
		Description: "Pack and install file: dependencies instead of linking them. Workspaces are always linked.",
	},
	{
		Key: "install-strategy", order: 86,
		Types:       []Type{{TypeLiteral, "hoisted"}, {TypeLiteral, "nested"}, {TypeLiteral, "shallow"}, {TypeLiteral, "linked"}},
		Default:     NewString("hoisted"),
		Description: "The layout of node_modules: hoisted, nested (no hoisting), shallow (only direct dependencies on top), or linked (isolated in node_modules/.store).",
	},
	{
		Key: "json", order: 87, Types: boolean, Default: no,
		Description: "Print JSON.",
	},
	{
		Key: "keep-edit-dir", order: 126, Types: boolean, Default: no, Since: 12,
		Description: "Keep the edit directory after \"patch commit\".",
	},
	{
		Key: "key", order: 88, Types: textOrNull, Default: null, Deprecated: "use //host/:certfile and //host/:keyfile",
		Description: "A client key (PEM, newlines as \\n) for the registry.",
	},
	{
		Key: keyringKey, Types: boolean, Default: no, NoEnv: true, Own: true,
		Description: "Keep the tokens of registries in the keyring of the system and look for them there. It counts on the command line, in the environment and in the user's own .npmrc; \"login --keyring\" sets it there.",
	},
	{
		Key: "legacy-bundling", order: 89, Types: boolean, Default: no, Deprecated: "use --install-strategy=nested",
		Description: "Install each dependency below its dependent, without hoisting.",
	},
	{
		Key: "legacy-peer-deps", order: 90, Types: boolean, Default: no,
		Description: "Ignore peerDependencies when deciding the tree.",
	},
	{
		Key: "libc", order: 91, Types: textOrNull, Default: null,
		Description: "Choose packages for this C library; values as in package.json's libc.",
	},
	{
		Key: "link", order: 92, Types: boolean, Default: no,
		Description: "Show only linked packages in \"ls\".",
	},
	{
		Key: "local-address", order: 93, Types: []Type{{Kind: TypeNull}, {Kind: TypeLocalAddress}}, Default: null,
		Description: "The local address that connections to the registry start from.",
	},
	{
		Key: "location", order: 94,
		Types:   []Type{{TypeLiteral, "global"}, {TypeLiteral, "user"}, {TypeLiteral, "project"}},
		Default: NewString("user"), Short: "L", DefaultText: "user, or global with --global",
		Description: "The file that \"config\" changes: user, project or global; global also acts as --global.",
	},
	{
		Key: "lockfile-version", order: 95,
		Types:   []Type{{Kind: TypeNull}, {TypeLiteralNum, "1"}, {TypeLiteralNum, "2"}, {TypeLiteralNum, "3"}, {TypeLiteral, "1"}, {TypeLiteral, "2"}, {TypeLiteral, "3"}},
		Default: null, DefaultText: "3 without a lockfile, otherwise what is there (1 becomes 3)",
		Description: "The format of package-lock.json: 1, 2 or 3.",
	},
	{
		Key: "loglevel", order: 96,
		Types:       []Type{{TypeLiteral, "silent"}, {TypeLiteral, "error"}, {TypeLiteral, "warn"}, {TypeLiteral, "notice"}, {TypeLiteral, "http"}, {TypeLiteral, "info"}, {TypeLiteral, "verbose"}, {TypeLiteral, "silly"}},
		Default:     NewString("notice"),
		Description: "The least important messages to show.",
	},
	{
		Key: "logs-dir", order: 97, Types: pathnameOrNull, Default: null, DefaultText: "_logs in the cache",
		Description: "Where debug logs are written.",
	},
	{
		Key: "logs-max", order: 98, Types: number, Default: NewNumber(10),
		Description: "How many debug logs to keep; 0 writes none.",
	},
	{
		Key: "long", order: 99, Types: boolean, Default: no, Short: "l",
		Description: "Show more in \"ls\", \"search\" and \"help-search\".",
	},
	{
		Key: "maxsockets", order: 101, Types: number, Default: NewNumber(15),
		Description: "Connections per host.",
	},
	{
		Key: "message", order: 102, Types: text, Default: NewString("%s"), Short: "m",
		Description: "The commit message of \"version\"; %s is the version.",
	},
	{
		Key: "min-release-age", order: 103, Types: numberOrNull, Default: null, Hint: "<days>", NoEnv: true,
		Description: "Only consider versions that were published at least this many days ago.",
	},
	{
		Key: "min-release-age-exclude", order: 104,
		Types: []Type{{Kind: TypeArray}, {Kind: TypeString}}, Default: NewList(), Hint: "<pkg|glob>", NoEnv: true,
		Description: "Package names or globs that before and min-release-age do not hold back.",
	},
	{
		Key: "name", order: 100, Types: textOrNull, Default: null,
		Description: "The name of the created token.",
	},
	{
		Key: "node-gyp", order: 105, Types: pathname, Default: NewString(""), DefaultText: "the copy that comes with npm",
		Description: "The node-gyp program for packages with native code.",
	},
	{
		Key: "node-options", order: 106, Types: textOrNull, Default: null,
		Description: "NODE_OPTIONS for scripts.",
	},
	{
		Key: "noproxy", order: 107, Types: texts, Default: NewString(""), DefaultText: "NO_PROXY",
		Description: "Hosts that are reached without a proxy; comma-separated. Without it NO_PROXY is used.",
	},
	{
		Key: "offline", order: 108, Types: boolean, Default: no,
		Description: "Make no network request; what is not cached is an error.",
	},
	{
		Key: "omit", order: 109,
		Types:   []Type{{Kind: TypeArray}, {TypeLiteral, "dev"}, {TypeLiteral, "optional"}, {TypeLiteral, "peer"}},
		Default: NewList(), DefaultText: "dev when NODE_ENV is production, otherwise empty",
		Description: "Dependency types not to install. They are still in the lockfile. With dev, scripts see NODE_ENV=production.",
	},
	{
		Key: "omit-lockfile-registry-resolved", order: 110, Types: boolean, Default: no,
		Description: "Leave the registry's tarball URLs out of package-lock.json.",
	},
	{
		Key: "only", order: 111,
		Types:   []Type{{Kind: TypeNull}, {TypeLiteral, "prod"}, {TypeLiteral, "production"}},
		Default: null, Deprecated: "use --omit=dev",
		Description: "With \"prod\": omit dev dependencies.",
	},
	{
		Key: "optional", order: 113,
		Types: booleanOrNull, Default: null, Deprecated: "use --omit=optional or --include=optional",
		Description: "Include (true) or omit (false) optional dependencies.",
	},
	{
		Key: "orgs", order: 112, Types: textsOrNull, Default: null,
		Description: "Organizations that the created token may act on.",
	},
	{
		Key: "orgs-permission", order: 158,
		Types:       []Type{{Kind: TypeNull}, {TypeLiteral, "read-only"}, {TypeLiteral, "read-write"}, {TypeLiteral, "no-access"}},
		Default:     null,
		Description: "What the created token may do with organizations.",
	},
	{
		Key: "os", order: 114, Types: textOrNull, Default: null,
		Description: "Choose packages for this operating system instead of the machine's; values as in package.json's os.",
	},
	{
		Key: "otp", order: 115, Types: textOrNull, Default: null,
		Description: "A one-time password from an authenticator.",
	},
	{
		Key: "pack-destination", order: 119, Types: text, Default: NewString("."),
		Description: "Where \"pack\" writes tarballs.",
	},
	{
		Key: "package", order: 116, Types: texts, Default: NewList(), Hint: "<package-spec>",
		Description: "The packages that \"exec\" installs.",
	},
	{
		Key: "package-import-method", NoEnv: true, Own: true,
		Types:       []Type{{TypeLiteral, "auto"}, {TypeLiteral, "hardlink"}, {TypeLiteral, "reflink"}, {TypeLiteral, "copy"}},
		Default:     NewString("auto"),
		Description: "How the files of packages come from the store into a project: as hard links (hardlink, which auto is), as files that share blocks until they are written to (reflink), or unpacked once more (copy). Where the file system cannot do it they are unpacked.",
	},
	{
		Key: "package-lock", order: 117, Types: boolean, Default: yes,
		Description: "Read and write package-lock.json.",
	},
	{
		Key: "package-lock-only", order: 118, Types: boolean, Default: no,
		Description: "Work on package-lock.json only and leave node_modules alone.",
	},
	{
		Key: "packages", order: 120, Types: textsOrNull, Default: NewList(),
		Description: "Packages that the created token may act on.",
	},
	{
		Key: "packages-all", order: 156, Types: boolean, Default: no,
		Description: "Let the created token act on every package.",
	},
	{
		Key: "packages-and-scopes-permission", order: 157,
		Types:       []Type{{Kind: TypeNull}, {TypeLiteral, "read-only"}, {TypeLiteral, "read-write"}, {TypeLiteral, "read-write-stage-only"}, {TypeLiteral, "no-access"}},
		Default:     null,
		Description: "What the created token may do with packages and scopes.",
	},
	{
		Key: "parseable", order: 127, Types: boolean, Default: no, Short: "p",
		Description: "Print tab- or colon-separated lines.",
	},
	{
		Key: "password", order: 159, Types: textOrNull, Default: null,
		Description: "The password for \"token create\"; without it you are asked.",
	},
	{
		Key: "patches-dir", order: 121, Types: text, Default: NewString("patches"), Since: 12,
		Description: "Where \"patch commit\" writes patches, relative to the project.",
	},
	{
		Key: "prefer-dedupe", order: 130, Types: boolean, Default: no,
		Description: "Keep an older version that others share rather than a newer second one.",
	},
	{
		Key: "prefer-offline", order: 131, Types: boolean, Default: no,
		Description: "Use cached metadata however old; ask the network only for what is missing.",
	},
	{
		Key: "prefer-online", order: 132, Types: boolean, Default: no,
		Description: "Check cached metadata with the registry even when it is fresh.",
	},
	{
		Key: "prefix", order: 133,
		Types: pathname, Default: NewString(""), Short: "C", DefaultText: "the directory above the one that node is in",
		Description: "Where global packages live. On the command line, also the directory to work in.",
	},
	{
		Key: "preid", order: 134, Types: text, Default: NewString(""), Hint: "prerelease-id",
		Description: "The identifier in prerelease versions, as rc in 1.2.0-rc.8.",
	},
	{
		Key: "production", order: 135, Types: booleanOrNull, Default: null, Deprecated: "use --omit=dev",
		Description: "Omit dev dependencies.",
	},
	{
		Key: "progress", order: 136, Types: boolean, Default: yes, DefaultText: "true on a terminal, not in CI",
		Description: "Show progress on a terminal.",
	},
	{
		Key: "provenance", order: 137, Types: boolean, Default: no, Exclusive: []string{"provenance-file"},
		Description: "Publish with a signed statement of where the package was built.",
	},
	{
		Key: "provenance-file", order: 138, Types: pathname, Default: null, Hint: "<file>", Exclusive: []string{"provenance"},
		Description: "Publish with this provenance bundle.",
	},
	{
		Key: "proxy", order: 139,
		Types: []Type{{Kind: TypeNull}, {Kind: TypeFalse}, {Kind: TypeURL}}, Default: null, DefaultText: "null, HTTP_PROXY",
		Description: "The proxy for requests; false ignores the setting.",
	},
	{
		Key: "read-only", order: 140, Types: boolean, Default: no,
		Description: "Create a token that cannot publish.",
	},
	{
		Key: "rebuild-bundle", order: 141, Types: boolean, Default: yes,
		Description: "Rebuild bundled dependencies after an install.",
	},
	{
		Key: "registry", order: 142, Types: []Type{{Kind: TypeURL}}, Default: NewString("https://registry.npmjs.org/"),
		Description: "The registry's address.",
	},
	{
		Key: "replace-registry-host", order: 143,
		Types:   []Type{{TypeLiteral, "npmjs"}, {TypeLiteral, "never"}, {TypeLiteral, "always"}, {Kind: TypeString}},
		Default: NewString("npmjs"), Hint: "<npmjs|never|always> | hostname | url",
		Description: "Which hosts in a lockfile's URLs are replaced by the configured registry's: npmjs, never, always, or one host.",
	},
	{
		Key: "save", order: 144, Types: boolean, Default: yes, Short: "S",
		Description: "Record installed packages in package.json.",
	},
	{
		Key: "save-bundle", order: 145, Types: boolean, Default: no, Short: "B",
		Description: "Record installed packages in bundleDependencies as well.",
	},
	{
		Key: "save-dev", order: 146,
		Types: boolean, Default: no, Short: "D", Exclusive: []string{"save-optional", "save-peer", "save-prod"},
		Description: "Record installed packages in devDependencies.",
	},
	{
		Key: "save-exact", order: 147, Types: boolean, Default: no, Short: "E",
		Description: "Record exact versions instead of ranges.",
	},
	{
		Key: "save-optional", order: 148,
		Types: boolean, Default: no, Short: "O", Exclusive: []string{"save-dev", "save-peer", "save-prod"},
		Description: "Record installed packages in optionalDependencies.",
	},
	{
		Key: "save-peer", order: 149,
		Types: boolean, Default: no, Exclusive: []string{"save-dev", "save-optional", "save-prod"},
		Description: "Record installed packages in peerDependencies.",
	},
	{
		Key: "save-prefix", order: 150, Types: text, Default: NewString("^"),
		Description: "What stands before recorded versions, ^ or ~.",
	},
	{
		Key: "save-prod", order: 151,
		Types: boolean, Default: no, Short: "P", Exclusive: []string{"save-dev", "save-optional", "save-peer"},
		Description: "Record installed packages in dependencies, also those that were dev or optional.",
	},
	{
		Key: "sbom-format", order: 152, Types: []Type{{TypeLiteral, "cyclonedx"}, {TypeLiteral, "spdx"}}, Default: null,
		Description: "The format of \"sbom\".",
	},
	{
		Key: "sbom-type", order: 153,
		Types:       []Type{{TypeLiteral, "library"}, {TypeLiteral, "application"}, {TypeLiteral, "framework"}},
		Default:     NewString("library"),
		Description: "What kind of software the SBOM describes.",
	},
	{
		Key: "scope", order: 154, Types: text, Default: NewString(""), Hint: "<@scope>",
		Description: "The scope of the operation, with the scope's registry.",
	},
	{
		Key: "scopes", order: 155, Types: textsOrNull, Default: null,
		Description: "Scopes that the created token may act on.",
	},
	{
		Key: "script-shell", order: 161, Types: textOrNull, Default: null,
		Description: "The shell that runs scripts.",
	},
	{
		Key: "searchexclude", order: 162, Types: text, Default: NewString(""),
		Description: "Words that exclude a package from \"search\".",
	},
	{
		Key: "searchlimit", order: 163, Types: number, Default: NewNumber(20),
		Description: "How many packages \"search\" lists.",
	},
	{
		Key: "searchopts", order: 164, Types: text, Default: NewString(""),
		Description: "Options sent with every \"search\".",
	},
	{
		Key: "searchstaleness", order: 165, Types: number, Default: NewNumber(900),
		Description: "How old a search index may be, in seconds.",
	},
	{
		Key: "shell", order: 166, Types: text, Default: NewString(""), DefaultText: "SHELL, or sh (ComSpec on Windows)",
		Description: "The shell of \"explore\".",
	},
	{
		Key: "shrinkwrap", order: 191, Types: boolean, Default: yes, Deprecated: "use --package-lock", Gone: true,
		Description: "Same as package-lock.",
	},
	{
		Key: "sign-git-commit", order: 167, Types: boolean, Default: no,
		Description: "Sign the commit of \"version\".",
	},
	{
		Key: "sign-git-tag", order: 168, Types: boolean, Default: no,
		Description: "Sign the tag of \"version\".",
	},
	{
		Key: "strict-allow-scripts", order: 170, Types: boolean, Default: no,
		Description: "Fail when a dependency has install scripts that nobody approved or denied, instead of skipping them with a warning.",
	},
	{
		Key: "strict-npmrc", order: 171, Types: boolean, Default: no, Since: 12,
		Description: "Fail on unknown keys in .npmrc files instead of warning.",
	},
	{
		Key: "strict-peer-deps", order: 169, Types: boolean, Default: no,
		Description: "Fail on any peer conflict, even one that could be worked around.",
	},
	{
		Key: "strict-ssl", order: 172, Types: boolean, Default: yes,
		Description: "Verify the registry's certificate.",
	},
	{
		Key: "tag", order: 173, Types: text, Default: NewString("latest"),
		Description: "The dist-tag to install when no version is named, and to publish under.",
	},
	{
		Key: "tag-version-prefix", order: 174, Types: text, Default: NewString("v"),
		Description: "What stands before the version in git tags.",
	},
	{
		Key: "timing", order: 175, Types: boolean, Default: no,
		Description: "Write timings to a file beside the logs.",
	},
	{
		Key: "to", order: 176, Types: textOrNull, Default: null, Hint: "<version>", Since: 12,
		Description: "The version that \"patch update\" moves a patch to.",
	},
	{
		Key: "token-description", order: 160, Types: textOrNull, Default: null,
		Description: "A description of the created token.",
	},
	{
		Key: "umask", order: 177, Types: []Type{{Kind: TypeUmask}}, Default: NewNumber(0),
		Description: "The mode bits that files and directories are made without.",
	},
	{
		Key: "unicode", order: 178, Types: boolean, Default: yes, DefaultText: "true in a UTF-8 locale",
		Description: "Draw trees with Unicode characters.",
	},
	{
		Key: "update-notifier", order: 179, Types: boolean, Default: yes,
		Description: "Tell when a newer version is there.",
	},
	{
		Key: "usage", order: 180, Types: boolean, Default: no, Short: "?Hh",
		Description: "Show how a command is used.",
	},
	{
		Key: "user-agent", order: 181,
		Types:       text,
		Default:     NewString("npm/{npm-version} node/{node-version} {platform} {arch} workspaces/{workspaces} {ci}"),
		Description: "The User-Agent header; {npm-version}, {node-version}, {platform}, {arch}, {workspaces} and {ci} are filled in.",
	},
	{
		Key: "userconfig", order: 182, Types: pathname, Default: NewString("~/.npmrc"),
		Description: "Your own configuration file.",
	},
	{
		Key: "version", order: 183, Types: boolean, Default: no, Short: "v",
		Description: "Print the version.",
	},
	{
		Key: "versions", order: 184, Types: boolean, Default: no,
		Description: "Print the versions of the package, of npm and of node's parts.",
	},
	{
		Key: "viewer", order: 185, Types: text, Default: NewString("man"), DefaultText: "man, on Windows browser",
		Description: "The program that shows help: man or browser.",
	},
	{
		Key: "which", order: 186, Types: numberOrNull, Default: null, Hint: "<fundingSourceNumber>",
		Description: "Which funding address to open, counted from 1.",
	},
	{
		Key: "workspace", order: 187, Types: texts, Default: NewList(), Short: "w", Hint: "<workspace-name>", NoEnv: true,
		Description: "Run in these workspaces: a name, a directory, or a directory of workspaces; may be given several times.",
	},
	{
		Key: "workspaces", order: 188, Types: booleanOrNull, Default: null, NoEnv: true,
		Description: "Run in every workspace; with false, act as if there were none.",
	},
	{
		Key: "workspaces-update", order: 189, Types: boolean, Default: yes,
		Description: "Update node_modules after a command changed workspaces.",
	},
	{
		Key: "yes", order: 190, Types: booleanOrNull, Default: null, Short: "y",
		Description: "Answer yes to every question.",
	},
}
