//! What each client is told.

use portcullis_core::HttpUrl;
use portcullis_core::config::ModeName;

use super::client::{Client, Reference};
use super::json::Json;

/// A header field that a client must send.
pub(super) struct Field {
    name: &'static str,
    prefix: &'static str,
    /// The environment variable that holds the secret, wherever one does.
    pub(super) variable: &'static str,
    /// What the secret is, for people.
    pub(super) what: &'static str,
}

const API_KEY: Field = Field {
    name: "Authorization",
    prefix: "Bearer ",
    variable: "PORTCULLIS_API_KEY",
    what: "API key",
};
const ACCESS_TOKEN: Field = Field {
    name: "Authorization",
    prefix: "Bearer ",
    variable: "PORTCULLIS_TOKEN",
    what: "access token",
};
const CLIENT_ID: Field = Field {
    name: "X-Zscaler-Client-ID",
    prefix: "",
    variable: "ZSCALER_CLIENT_ID",
    what: "OneAPI client ID",
};
const CLIENT_SECRET: Field = Field {
    name: "X-Zscaler-Client-Secret",
    prefix: "",
    variable: "ZSCALER_CLIENT_SECRET",
    what: "OneAPI client secret",
};

/// Returns what a client must send in a mode; where people sign in, nothing.
pub(super) const fn fields(mode: ModeName) -> &'static [Field] {
    match mode {
        ModeName::None | ModeName::Oidc | ModeName::OidcProxy => &[],
        ModeName::ApiKey => &[API_KEY],
        ModeName::Jwt => &[ACCESS_TOKEN],
        ModeName::Zscaler => &[CLIENT_ID, CLIENT_SECRET],
    }
}

/// One MCP server, as clients know it.
pub(super) struct Server<'a> {
    pub(super) name: &'a str,
    pub(super) url: &'a HttpUrl,
    pub(super) mode: ModeName,
    /// The secrets to write down, in the order of [`fields`]; none stand for themselves otherwise.
    pub(super) secrets: Option<Vec<String>>,
}

impl Server<'_> {
    /// Returns the members to set in a client's configuration: a section, a name, and a value.
    pub(super) fn entry(&self, client: Client) -> (&'static str, Json) {
        let entry = match client.kind() {
            Some(kind) => self.http(client, kind),
            None => self.mcp_remote(client),
        };
        (client.section(), entry)
    }

    /// Returns the questions that the client is to ask its user.
    pub(super) fn inputs(&self, client: Client) -> Vec<(String, Json)> {
        if client.reference() != Reference::Input || self.secrets.is_some() {
            return Vec::new();
        }
        let input = |field: &Field| {
            let id = self.input_id(field);
            let question = format!("{} for {}", field.what, self.url);
            let input = Json::object([
                ("type", Json::text("promptString")),
                ("id", Json::text(&*id)),
                ("description", Json::text(question)),
                ("password", Json::Yes),
            ]);
            (id, input)
        };
        fields(self.mode).iter().map(input).collect()
    }

    /// Returns a whole configuration with this server and no other.
    pub(super) fn whole(&self, client: Client) -> Json {
        let (section, entry) = self.entry(client);
        let inputs: Vec<Json> = self
            .inputs(client)
            .into_iter()
            .map(|(_, json)| json)
            .collect();
        let mut members = Vec::new();
        if !inputs.is_empty() {
            members.push(("inputs", Json::List(inputs)));
        }
        members.push((section, Json::object([(self.name, entry)])));
        Json::object(members)
    }

    fn http(&self, client: Client, kind: Option<&str>) -> Json {
        let mut members = Vec::new();
        if let Some(kind) = kind {
            members.push(("type", Json::text(kind)));
        }
        members.push(("url", Json::text(self.url.to_string())));
        let headers = self.values(client);
        if !headers.is_empty() {
            let headers = headers.into_iter();
            let headers = headers.map(|(field, value)| (field.name, Json::Text(value)));
            members.push(("headers", Json::object(headers)));
        }
        Json::object(members)
    }

    /// For clients that start a command. The values stand in variables, as some clients split
    /// arguments at blanks.
    fn mcp_remote(&self, client: Client) -> Json {
        let url = self.url.to_string();
        let mut arguments = vec!["-y".to_owned(), "mcp-remote".to_owned(), url];
        // Else it refuses, as the credential would be on the way in the clear.
        if !self.url.is_https() && !self.url.is_loopback() {
            arguments.push("--allow-http".to_owned());
        }
        let mut variables = Vec::new();
        for (field, value) in self.values(client) {
            let variable = match field.prefix {
                "" => field.variable,
                _ => "AUTHORIZATION",
            };
            arguments.push("--header".to_owned());
            arguments.push(format!("{}:${{{variable}}}", field.name));
            variables.push((variable, Json::Text(value)));
        }
        let mut members = vec![
            ("command", Json::text("npx")),
            (
                "args",
                Json::List(arguments.into_iter().map(Json::Text).collect()),
            ),
        ];
        if !variables.is_empty() {
            members.push(("env", Json::object(variables)));
        }
        Json::object(members)
    }

    fn values(&self, client: Client) -> Vec<(&'static Field, String)> {
        let value = |(index, field): (usize, &'static Field)| {
            let secret = self.secrets.as_ref().and_then(|secrets| secrets.get(index));
            let secret = secret.cloned().unwrap_or_else(|| match client.reference() {
                Reference::Dollar => format!("${{{}}}", field.variable),
                Reference::Env => format!("${{env:{}}}", field.variable),
                Reference::Input => format!("${{input:{}}}", self.input_id(field)),
                Reference::None => placeholder(field),
            });
            (field, format!("{}{secret}", field.prefix))
        };
        fields(self.mode).iter().enumerate().map(value).collect()
    }

    fn input_id(&self, field: &Field) -> String {
        let what = field.what.to_ascii_lowercase().replace(' ', "-");
        format!("{}-{what}", self.name)
    }
}

/// What stands where a client can only be given the secret itself.
pub(super) fn placeholder(field: &Field) -> String {
    let what = field.what.to_ascii_uppercase().replace(' ', "-");
    format!("PUT-THE-{what}-HERE")
}
