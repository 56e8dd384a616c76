package config

import (
	"strings"

	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/weburl"
)

// CI says which continuous integration service runs the command, as the ci-info
// package finds it.
type CI struct {
	Name string // "GitHub Actions"; "" if unknown
	ID   string // "GITHUB_ACTIONS"
	IsCI bool
	Sub  string // kind of GitHub server and runner, "dotcom-hosted"
}

// ciVendor is one service: it is there if every variable of all is set (or has
// the value after =, or contains the one after ~), or one of any is.
type ciVendor struct {
	name, id string
	all      string
}

// ciVendors is ci-info's vendors.json. The last one that matches wins.
var ciVendors = [...]ciVendor{
	{"Agola CI", "AGOLA", "AGOLA_GIT_REF"},
	{"Alpic", "ALPIC", "ALPIC_HOST"},
	{"Appcircle", "APPCIRCLE", "AC_APPCIRCLE"},
	{"AppVeyor", "APPVEYOR", "APPVEYOR"},
	{"AWS CodeBuild", "CODEBUILD", "CODEBUILD_BUILD_ARN"},
	{"Azure Pipelines", "AZURE_PIPELINES", "TF_BUILD"},
	{"Bamboo", "BAMBOO", "bamboo_planKey"},
	{"Bitbucket Pipelines", "BITBUCKET", "BITBUCKET_COMMIT"},
	{"Bitrise", "BITRISE", "BITRISE_IO"},
	{"Buddy", "BUDDY", "BUDDY_WORKSPACE_ID"},
	{"Buildkite", "BUILDKITE", "BUILDKITE"},
	{"CircleCI", "CIRCLE", "CIRCLECI"},
	{"Cirrus CI", "CIRRUS", "CIRRUS_CI"},
	{"Cloudflare Pages", "CLOUDFLARE_PAGES", "CF_PAGES"},
	{"Cloudflare Workers", "CLOUDFLARE_WORKERS", "WORKERS_CI"},
	{"Codefresh", "CODEFRESH", "CF_BUILD_ID"},
	{"Codemagic", "CODEMAGIC", "CM_BUILD_ID"},
	{"Codeship", "CODESHIP", "CI_NAME=codeship"},
	{"Drone", "DRONE", "DRONE"},
	{"dsari", "DSARI", "DSARI"},
	{"Earthly", "EARTHLY", "EARTHLY_CI"},
	{"Expo Application Services", "EAS", "EAS_BUILD"},
	{"Gerrit", "GERRIT", "GERRIT_PROJECT"},
	{"Gitea Actions", "GITEA_ACTIONS", "GITEA_ACTIONS"},
	{"GitHub Actions", "GITHUB_ACTIONS", "GITHUB_ACTIONS"},
	{"GitLab CI", "GITLAB", "GITLAB_CI"},
	{"GoCD", "GOCD", "GO_PIPELINE_LABEL"},
	{"Google Cloud Build", "GOOGLE_CLOUD_BUILD", "BUILDER_OUTPUT"},
	{"Harness CI", "HARNESS", "HARNESS_BUILD_ID"},
	{"Heroku", "HEROKU", "NODE~/app/.heroku/node/bin/node"},
	{"Hudson", "HUDSON", "HUDSON_URL"},
	{"Jenkins", "JENKINS", "JENKINS_URL BUILD_ID"},
	{"LayerCI", "LAYERCI", "LAYERCI"},
	{"Magnum CI", "MAGNUM", "MAGNUM"},
	{"Netlify CI", "NETLIFY", "NETLIFY"},
	{"Nevercode", "NEVERCODE", "NEVERCODE"},
	{"Prow", "PROW", "PROW_JOB_ID"},
	{"ReleaseHub", "RELEASEHUB", "RELEASE_BUILD_ID"},
	{"Render", "RENDER", "RENDER"},
	{"Sail CI", "SAIL", "SAILCI"},
	{"Screwdriver", "SCREWDRIVER", "SCREWDRIVER"},
	{"Semaphore", "SEMAPHORE", "SEMAPHORE"},
	{"Sourcehut", "SOURCEHUT", "CI_NAME=sourcehut"},
	{"Strider CD", "STRIDER", "STRIDER"},
	{"TaskCluster", "TASKCLUSTER", "TASK_ID RUN_ID"},
	{"TeamCity", "TEAMCITY", "TEAMCITY_VERSION"},
	{"Travis CI", "TRAVIS", "TRAVIS"},
	{"Vela", "VELA", "VELA"},
	{"Vercel", "VERCEL", "|NOW_BUILDER VERCEL"},
	{"Visual Studio App Center", "APPCENTER", "APPCENTER_BUILD_ID"},
	{"Woodpecker", "WOODPECKER", "CI=woodpecker"},
	{"Xcode Cloud", "XCODE_CLOUD", "CI_XCODE_PROJECT"},
	{"Xcode Server", "XCODE_SERVER", "XCS"},
}

// CI returns the service that the environment speaks of.
func (c *Config) CI() CI {
	env := c.environ
	if env["CI"] == "false" {
		return CI{}
	}
	var ci CI
	for i := range ciVendors {
		if v := &ciVendors[i]; v.matches(env) {
			ci.Name, ci.ID = v.name, v.id
		}
	}
	ci.IsCI = ci.Name != ""
	for _, name := range []string{"BUILD_ID", "BUILD_NUMBER", "CI", "CI_APP_ID", "CI_BUILD_ID", "CI_BUILD_NUMBER", "CI_NAME", "CONTINUOUS_INTEGRATION", "RUN_ID"} {
		ci.IsCI = ci.IsCI || env[name] != ""
	}
	if env["GITHUB_ACTIONS"] != "" {
		ci.Sub = githubKind(js.Trim(env["GITHUB_SERVER_URL"]), js.Trim(env["RUNNER_ENVIRONMENT"]))
	}
	return ci
}

func (v *ciVendor) matches(env map[string]string) bool {
	if alternatives, ok := strings.CutPrefix(v.all, "|"); ok {
		for name := range strings.SplitSeq(alternatives, " ") {
			if env[name] != "" {
				return true
			}
		}
		return false
	}
	for condition := range strings.SplitSeq(v.all, " ") {
		if name, value, ok := strings.Cut(condition, "="); ok {
			if got, set := env[name]; !set || got != value {
				return false
			}
		} else if name, part, ok := strings.Cut(condition, "~"); ok {
			if env[name] == "" || !strings.Contains(env[name], part) {
				return false
			}
		} else if env[condition] == "" {
			return false
		}
	}
	return true
}

func githubKind(server, runner string) string {
	u, ok := weburl.Parse(server)
	host := u.Hostname
	switch {
	case !ok || host == "":
		return ""
	case host == "github.com" && runner == "github-hosted":
		return "dotcom-hosted"
	case host == "github.com" && runner == "self-hosted":
		return "dotcom-selfhosted"
	case host == "github.com":
		return "dotcom"
	case host == "ghe.com" || strings.HasSuffix(host, ".ghe.com"):
		return "ghecom"
	}
	return "ghes"
}

// token is the part of the user agent about the service: "ci/github-actions".
func (ci CI) token() string {
	if ci.Name == "" {
		return ""
	}
	s := "ci/" + strings.ReplaceAll(strings.ToLower(ci.Name), " ", "-")
	if ci.Sub != "" {
		s += "/" + ci.Sub
	}
	return s
}
