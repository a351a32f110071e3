//! The admin page in a real browser, in front of a gateway with traffic; and the inspector's npm
//! package, which the page holds, in Node.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::signing::now;
use portcullis_tests::{
    Alg, AuthorizationServer, EchoResource, Gateway, Kind, Request, Response, Settings, SigningKey,
};
use serde_json::{Value, json};

use crate::programs::{folder, tool};

const ISSUER: &str = "https://idp.example.com";
const AUDIENCE: &str = "mcp";
const TOKEN: &str = "an-admin-token-for-tests";

/// A gateway in mode `jwt`, and tokens for it.
struct Install {
    gateway: Gateway,
    good: String,
    expired: String,
    _resource: EchoResource,
    _authority: AuthorizationServer,
}

impl Install {
    fn start() -> Self {
        let (authority, resource) = (AuthorizationServer::start(), EchoResource::start());
        let key = SigningKey::generate("k1", Alg::Es256);
        authority.publish([key.jwk()]);
        let settings = Settings::new()
            .with("ZSCALER_MCP_AUTH_JWKS_URI", authority.url(JWKS_PATH))
            .with("ZSCALER_MCP_AUTH_ISSUER", ISSUER)
            .with("ZSCALER_MCP_AUTH_AUDIENCE", AUDIENCE)
            .with_admin(TOKEN);
        let token = |exp: i64| {
            let claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": exp });
            key.token(Alg::Es256, &claims)
        };
        Self {
            gateway: Gateway::start(Kind::Native, &settings, &resource.url()),
            good: token(now() + 3000),
            expired: token(now() - 3000),
            _resource: resource,
            _authority: authority,
        }
    }

    fn admin(&self) -> String {
        format!("http://{}/", self.gateway.admin().unwrap())
    }
}

/// Has the browser do all of it, and returns what it found.
fn browse(install: &Install) -> Value {
    let script = folder("tests/e2e/browser").join("admin_page.mjs");
    let mut command = Command::new(tool(&["node", "22"]));
    command
        .arg(script)
        .arg(install.admin())
        .arg(format!("http://{}/mcp", install.gateway.address()))
        .args(std::env::var_os("PORTCULLIS_PICTURES"))
        .env("CHROMIUM_BIN", tool(&["chromium"]))
        .env("ADMIN_TOKEN", TOKEN)
        .env("GOOD_TOKEN", &install.good)
        .env("EXPIRED_TOKEN", &install.expired);
    let output = command.output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_admin_page_works_by_keyboard_in_the_dark_and_on_a_phone() {
    let install = Install::start();
    let found = browse(&install);
    // Nothing that the browser or a policy objects to, and nothing from elsewhere.
    assert_eq!(found["complaints"], json!([]), "{found}");
    assert_eq!(found["elsewhere"], json!([]), "{found}");
    assert_eq!(found["accessibility"], json!([]), "{found}");
    assert_eq!(found["overflow"], json!([0, 0, 0]), "{found}");
    // The credential is asked for, a wrong one is not kept, and none is in the address.
    assert_eq!(found["locked"], true, "{found}");
    assert_eq!(found["refused"], true, "{found}");
    assert_eq!(found["address"], install.admin(), "{found}");
    // Three good requests and a bad one later.
    assert_eq!(found["forwarded"], json!(["0", "3"]), "{found}");
    assert_eq!(found["refused_all"], json!(["0", "1"]), "{found}");
    let refusal = found["refusal"].as_str().unwrap();
    for words in [
        "expired",
        "401",
        "POST /mcp from 127.0.0.1",
        "The token has expired.",
    ] {
        assert!(refusal.contains(words), "{words} in {refusal}");
    }
    assert!(found["keys"].as_str().unwrap().contains("k1"), "{found}");
    assert!(found["chart"].as_u64().unwrap() > 0, "{found}");
    // By keys alone, without a request, with the keys that the gateway holds.
    assert_eq!(found["skipped"], "main", "{found}");
    assert_eq!(found["inspected"], "report", "{found}");
    assert_eq!(found["requests"], json!([]), "{found}");
    let good = found["good"].as_str().unwrap();
    for words in [
        "It passes",
        "verified with the keys given",
        "x-mcp-auth-principal",
        "alice",
    ] {
        assert!(good.contains(words), "{words} in {good}");
    }
    let expired = found["expired"].as_str().unwrap();
    for words in [
        "The gateway answers 401",
        "The token has expired.",
        " min ago",
        "✓ passed",
    ] {
        assert!(expired.contains(words), "{words} in {expired}");
    }
    let wrong = found["wrong"].as_str().unwrap();
    assert_eq!(
        wrong, "line 1 of the request is not NAME: VALUE.",
        "{found}"
    );
    assert_eq!(
        found["ground"],
        json!(["rgb(243, 245, 248)", "rgb(14, 19, 25)"]),
        "{found}"
    );
    assert!(
        found["without_scripts"]
            .as_str()
            .unwrap()
            .contains("needs scripts"),
        "{found}"
    );
}

/// Returns the folder of the npm package.
fn package() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| folder("target"), PathBuf::from);
    let package = target.join("inspector/pkg");
    assert!(package.exists(), "no npm package: run `make inspector`");
    fs::canonicalize(package).unwrap()
}

fn ask(path: &str, admin: SocketAddr) -> Response {
    let request = Request::bare("GET", path).field("Host", admin.to_string());
    request.send(admin).unwrap()
}

/// What the page was tried with above is what the package holds.
#[test]
fn the_page_holds_the_npm_package() {
    let install = Install::start();
    let admin = install.gateway.admin().unwrap();
    for file in ["portcullis_inspector.js", "portcullis_inspector_bg.wasm"] {
        let served = ask(&format!("/{file}"), admin);
        let packed = fs::read(package().join(file)).unwrap();
        assert!(
            served.body == packed,
            "{file}: build the binary after `make inspector`"
        );
        let policy = served.value("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
    }
    let told = ask("/api/status", admin);
    assert_eq!(
        (told.status, told.value("www-authenticate")),
        (401, "Bearer realm=\"admin\"".into())
    );
}

#[test]
fn the_npm_package_works_in_node() {
    let place = std::env::temp_dir().join(format!("portcullis-npm-{}", std::process::id()));
    let modules = place.join("node_modules");
    fs::create_dir_all(&modules).unwrap();
    std::os::unix::fs::symlink(package(), modules.join("portcullis-inspector")).unwrap();
    let program = "import init, { inspect } from 'portcullis-inspector';\n\
        await init();\n\
        const settings = { ZSCALER_MCP_AUTH_API_KEY: 'abc' };\n\
        const { result } = inspect({ settings, request: 'X-Api-Key: abc', now: 1.8e9 });\n\
        let thrown;\n\
        try { inspect({ settings: {}, request: '', now: 0 }); } catch (error) { thrown = error; }\n\
        console.log(JSON.stringify([result.decision, thrown instanceof Error]));\n";
    fs::write(place.join("main.mjs"), program).unwrap();
    let output = Command::new(tool(&["node"]))
        .arg(place.join("main.mjs"))
        .output()
        .unwrap();
    fs::remove_dir_all(&place).unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "[\"forwarded\",true]\n",
        "{log}"
    );
}
