//! An example or two for every command, in its help and on its page of the manual.

/// A command line, and what it is for.
pub(in crate::commands) struct Example {
    pub(in crate::commands) what: &'static str,
    pub(in crate::commands) line: &'static str,
}

const fn example(what: &'static str, line: &'static str) -> Example {
    Example { what, line }
}

/// Returns the examples of a command, by its words without the program's name.
pub(in crate::commands) fn examples(path: &str) -> &'static [Example] {
    let found = EXAMPLES.iter().find(|(command, _)| *command == path);
    found.map_or(&[], |(_, examples)| examples)
}

const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "serve",
        &[
            example(
                "protect an MCP server on this host",
                "portcullis serve --upstream http://127.0.0.1:9000",
            ),
            example(
                "with settings from a file, on another address",
                "portcullis serve --config gateway.json --listen 127.0.0.1:8443",
            ),
        ],
    ),
    (
        "check",
        &[
            example(
                "try what serve would be started with, without starting it",
                "portcullis check --config gateway.json",
            ),
            example(
                "ask the authorization server and the MCP server too",
                "portcullis check --online --config gateway.json",
            ),
            example(
                "for programs",
                "portcullis check --json --config gateway.json | jq .findings",
            ),
        ],
    ),
    (
        "explain",
        &[example(
            "which mode the settings choose, and where each value comes from",
            "portcullis explain --config gateway.json",
        )],
    ),
    (
        "client-config",
        &[
            example(
                "what each client is to be told",
                "portcullis client-config --config gateway.json",
            ),
            example(
                "on a user's machine, without the gateway's settings",
                "portcullis client-config --mode oidc --url https://mcp.example.com/mcp",
            ),
            example(
                "merge the entry into Cursor's own file, after a backup",
                "portcullis client-config --client cursor --write --config gateway.json",
            ),
        ],
    ),
    (
        "token decode",
        &[
            example(
                "show a token from the clipboard; xclip -o on Linux",
                "pbpaste | portcullis token decode",
            ),
            example(
                "check it as the gateway would",
                "portcullis token decode --jwks https://idp.example.com/jwks < token",
            ),
        ],
    ),
    (
        "keys add",
        &[
            example(
                "a key for one client, shown once",
                "portcullis keys add build-server --file keys.json",
            ),
            example(
                "for a month, from the office only",
                "portcullis keys add ann --file keys.json --expires 30d --source 192.0.2.0/24",
            ),
        ],
    ),
    (
        "keys list",
        &[example(
            "who has a key, and until when",
            "portcullis keys list --file keys.json",
        )],
    ),
    (
        "keys rotate",
        &[example(
            "a new key; the old one counts for two more days",
            "portcullis keys rotate ann --file keys.json --overlap 2d",
        )],
    ),
    (
        "keys revoke",
        &[example(
            "from now on, all keys of that name",
            "portcullis keys revoke ann --file keys.json",
        )],
    ),
    (
        "completions",
        &[
            example(
                "bash: from the next shell on",
                "portcullis completions bash > /etc/bash_completion.d/portcullis",
            ),
            example(
                "zsh: into a folder of fpath",
                "portcullis completions zsh > ~/.zfunc/_portcullis",
            ),
            example(
                "fish",
                "portcullis completions fish > ~/.config/fish/completions/portcullis.fish",
            ),
        ],
    ),
    (
        "man",
        &[
            example("read a page", "portcullis man serve | man -l -"),
            example(
                "install all pages",
                "portcullis man --dir ~/.local/share/man/man1",
            ),
        ],
    ),
    (
        "render envoy",
        &[example(
            "a whole bootstrap for the same settings",
            "portcullis render envoy --config gateway.json > envoy.yaml",
        )],
    ),
    (
        "render istio",
        &[example(
            "files for a gateway of Istio",
            "portcullis render istio --config gateway.json --dir istio",
        )],
    ),
    (
        "render systemd",
        &[example(
            "tell whether what is installed is what the settings give",
            "portcullis render systemd --config gateway.json --dir unit --check",
        )],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    /// Returns the words of the command line that are the program's.
    fn words(line: &str) -> Vec<&str> {
        let words = line.split_whitespace();
        let own = words.skip_while(|word| *word != "portcullis");
        own.take_while(|word| !matches!(*word, "|" | ">" | "<"))
            .collect()
    }

    #[test]
    fn every_example_is_one_of_its_command() {
        for (path, examples) in EXAMPLES {
            for Example { line, .. } in *examples {
                let words = words(line);
                assert!(
                    words.join(" ").starts_with(&format!("portcullis {path}")),
                    "{line}"
                );
                let parsed = command().try_get_matches_from(words);
                assert!(parsed.is_ok(), "{line}: {parsed:?}");
            }
        }
    }
}
