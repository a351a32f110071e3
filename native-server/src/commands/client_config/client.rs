//! The clients: where they keep their configuration, and what they understand in it.

use std::ffi::OsString;
use std::path::PathBuf;

/// A client of MCP servers.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(super) enum Client {
    ClaudeDesktop,
    ClaudeCode,
    Cursor,
    Kiro,
    #[value(name = "vscode")]
    VsCode,
    /// Any client that starts a command.
    McpRemote,
}

/// How a client is told of a secret without being told it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reference {
    /// `${NAME}` of its environment.
    Dollar,
    /// `${env:NAME}`.
    Env,
    /// `${input:ID}`, which it asks its user for.
    Input,
    /// Not at all.
    None,
}

/// The systems that clients run on.
#[derive(Clone, Copy, Debug)]
enum System {
    Linux,
    MacOs,
    Windows,
}

impl Client {
    pub(super) const ALL: [Self; 6] = [
        Self::ClaudeDesktop,
        Self::ClaudeCode,
        Self::Cursor,
        Self::Kiro,
        Self::VsCode,
        Self::McpRemote,
    ];

    /// Returns the name, for people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::Cursor => "Cursor",
            Self::Kiro => "Kiro",
            Self::VsCode => "VS Code",
            Self::McpRemote => "mcp-remote, for clients that start a command",
        }
    }

    /// Returns the member that holds the servers.
    pub(super) const fn section(self) -> &'static str {
        match self {
            Self::VsCode => "servers",
            Self::ClaudeDesktop
            | Self::ClaudeCode
            | Self::Cursor
            | Self::Kiro
            | Self::McpRemote => "mcpServers",
        }
    }

    /// Returns the `type` of an entry of a client that speaks HTTP, where it wants one; `None` for
    /// clients that start a command.
    pub(super) const fn kind(self) -> Option<Option<&'static str>> {
        match self {
            Self::ClaudeDesktop | Self::McpRemote => None,
            Self::ClaudeCode | Self::VsCode => Some(Some("http")),
            Self::Cursor | Self::Kiro => Some(None),
        }
    }

    pub(super) const fn reference(self) -> Reference {
        match self {
            Self::ClaudeDesktop | Self::McpRemote => Reference::None,
            Self::ClaudeCode | Self::Kiro => Reference::Dollar,
            Self::Cursor => Reference::Env,
            Self::VsCode => Reference::Input,
        }
    }

    /// Returns where this user's client keeps its configuration on this system, where that is
    /// known.
    pub(super) fn place(self) -> Option<PathBuf> {
        let system = if cfg!(target_os = "macos") {
            System::MacOs
        } else if cfg!(windows) {
            System::Windows
        } else {
            System::Linux
        };
        self.place_on(system, |name| std::env::var_os(name))
    }

    fn place_on(
        self,
        system: System,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Option<PathBuf> {
        let folder = |name| {
            let path = variable(name).map(PathBuf::from);
            path.filter(|path| !path.as_os_str().is_empty())
        };
        let home = match system {
            System::Linux | System::MacOs => folder("HOME"),
            System::Windows => folder("USERPROFILE"),
        };
        let settings = match system {
            System::Linux => {
                folder("XDG_CONFIG_HOME").or_else(|| Some(home.clone()?.join(".config")))
            }
            System::MacOs => Some(home.clone()?.join("Library/Application Support")),
            System::Windows => folder("APPDATA"),
        };
        Some(match self {
            Self::ClaudeDesktop => settings?.join("Claude/claude_desktop_config.json"),
            // Of the project; what Claude Code keeps for a user is its own state as well.
            Self::ClaudeCode => PathBuf::from(".mcp.json"),
            Self::Cursor => home?.join(".cursor/mcp.json"),
            Self::Kiro => home?.join(".kiro/settings/mcp.json"),
            Self::VsCode => settings?.join("Code/User/mcp.json"),
            Self::McpRemote => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(system: System, variables: &[(&str, &str)], expected: [&str; 4]) {
        let clients = [
            Client::ClaudeDesktop,
            Client::Cursor,
            Client::Kiro,
            Client::VsCode,
        ];
        let variable = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some(OsString::from(value))
        };
        let places = clients.map(|client| client.place_on(system, variable));
        let expected = expected.map(|path| Some(PathBuf::from(path)));
        assert_eq!(places, expected, "{system:?}");
    }

    #[test]
    fn places_are_those_of_the_system() {
        let home = [("HOME", "/h")];
        check(
            System::Linux,
            &home,
            [
                "/h/.config/Claude/claude_desktop_config.json",
                "/h/.cursor/mcp.json",
                "/h/.kiro/settings/mcp.json",
                "/h/.config/Code/User/mcp.json",
            ],
        );
        check(
            System::Linux,
            &[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")],
            [
                "/x/Claude/claude_desktop_config.json",
                "/h/.cursor/mcp.json",
                "/h/.kiro/settings/mcp.json",
                "/x/Code/User/mcp.json",
            ],
        );
        check(
            System::MacOs,
            &home,
            [
                "/h/Library/Application Support/Claude/claude_desktop_config.json",
                "/h/.cursor/mcp.json",
                "/h/.kiro/settings/mcp.json",
                "/h/Library/Application Support/Code/User/mcp.json",
            ],
        );
        check(
            System::Windows,
            &[("USERPROFILE", "C:/u"), ("APPDATA", "C:/u/AppData/Roaming")],
            [
                "C:/u/AppData/Roaming/Claude/claude_desktop_config.json",
                "C:/u/.cursor/mcp.json",
                "C:/u/.kiro/settings/mcp.json",
                "C:/u/AppData/Roaming/Code/User/mcp.json",
            ],
        );
    }

    #[test]
    fn without_a_home_no_place_is_made_up() {
        for client in [
            Client::ClaudeDesktop,
            Client::Cursor,
            Client::Kiro,
            Client::VsCode,
        ] {
            assert_eq!(client.place_on(System::Linux, |_| None), None);
        }
    }
}
