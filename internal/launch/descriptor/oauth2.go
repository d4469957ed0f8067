package descriptor

import "fmt"

// OAuth2Name is the name of the protocol of authorization servers.
const OAuth2Name = "oauth2"

// OAuth2 says how an authorization server is logged in to, and where it is asked.
// Secrets of a server that is not brought up to be tried are templates: {{env "NAME"}}.
type OAuth2 struct {
	Login        string `yaml:"login" doc:"who plays the user: hydra (its admin interface), form (a login page), client credentials (no user)" enum:"hydra,form,client credentials" required:"true"`
	Client       string `yaml:"client" doc:"id of the application" required:"true"`
	ClientSecret string `yaml:"clientSecret,omitempty" doc:"its secret, a template; a public client when left out"`
	API          string `yaml:"api,omitempty" doc:"id under which an API introspects; none when left out"`
	APISecret    string `yaml:"apiSecret,omitempty" doc:"its secret; a template"`
	Scope        string `yaml:"scope,omitempty" doc:"what is asked for; name what brings refresh tokens, e.g. offline_access"`
	Redirect     string `yaml:"redirect,omitempty" doc:"where the application is sent back to; it is never called"`
	User         string `yaml:"user,omitempty" doc:"for a form: the user; a template"`
	Password     string `yaml:"password,omitempty" doc:"for a form: the password; a template"`

	Endpoints map[string]string `yaml:"endpoints" doc:"URLs of the server: authorize, token, introspect, revoke, keys (where it signs JWTs), admin (for the login hydra), verifier; templates" required:"true"`
	Verifier  []string          `yaml:"verifier,omitempty" doc:"program and arguments that verify a JWT in the place of an API, beside an instance whose flag is off; templates, with {{.VerifierPort}}"`
}

var endpointNames = []string{"authorize", "token", "introspect", "revoke", "keys", "admin", "verifier"}

// oauth2 checks that the parts of an authorization server go together.
func (r *reader) oauth2(d *Descriptor) {
	o := d.Protocol.OAuth2
	switch is := d.Protocol.Name == OAuth2Name; {
	case !is && o == nil:
		return
	case !is || o == nil:
		r.bad("protocol", "name: oauth2 and an entry oauth2 go together")
		return
	case d.Image != "":
		r.bad("protocol.oauth2", "an authorization server is started as a command, as its endpoints are on ports of this machine; or it is there already (--url-on), with neither command nor image")
	}
	need := []string{"token", "introspect", "revoke"}
	switch o.Login {
	case "":
		r.bad("protocol.oauth2.login", "say who logs in: hydra, form or client credentials")
	case "hydra":
		need = append(need, "authorize", "admin")
	case "form":
		if need = append(need, "authorize"); o.User == "" || o.Password == "" {
			r.bad("protocol.oauth2.user", "a form needs user and password")
		}
	}
	if o.Client == "" {
		r.bad("protocol.oauth2.client", "name the application's id")
	}
	if len(o.Verifier) > 0 {
		need = append(need, "keys", "verifier")
	}
	for _, name := range need {
		if o.Endpoints[name] == "" {
			r.bad("protocol.oauth2.endpoints", "%s is missing: give its URL", name)
		}
	}
	for name := range o.Endpoints {
		r.oneOf("protocol.oauth2.endpoints."+name, name, endpointNames...)
	}
}

// endpoints of an authorization server; none for any other core.
func (d *Descriptor) endpoints() map[string]string {
	if o := d.Protocol.OAuth2; o != nil {
		return o.Endpoints
	}
	return nil
}

func (d *Descriptor) verifier() []string {
	if o := d.Protocol.OAuth2; o != nil {
		return o.Verifier
	}
	return nil
}

// Reveal fills in the secrets of an authorization server.
func (d *Descriptor) Reveal() error {
	o := d.Protocol.OAuth2
	if o == nil {
		return nil
	}
	for _, s := range []struct {
		name string
		text *string
	}{{"clientSecret", &o.ClientSecret}, {"apiSecret", &o.APISecret}, {"user", &o.User}, {"password", &o.Password}} {
		text, err := Text(*s.text, Values{})
		if err != nil {
			return fmt.Errorf("protocol.oauth2.%s: %w", s.name, err)
		}
		*s.text = text
	}
	return nil
}
