//! The page and all that belongs to it: part of the binary, the same for everybody, and without a
//! fact of the gateway in it.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use super::routes::with_type;

/// Path, media type, octets.
type Asset = (&'static str, &'static str, &'static [u8]);

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const ASSETS: &[Asset] = &[
    ("/", HTML, include_bytes!("page/index.html")),
    (
        "/style.css",
        "text/css; charset=utf-8",
        include_bytes!("page/style.css"),
    ),
    (
        "/icon.svg",
        "image/svg+xml",
        include_bytes!("page/icon.svg"),
    ),
    ("/main.js", SCRIPT, include_bytes!("page/main.js")),
    ("/gateway.js", SCRIPT, include_bytes!("page/gateway.js")),
    ("/views.js", SCRIPT, include_bytes!("page/views.js")),
    ("/chart.js", SCRIPT, include_bytes!("page/chart.js")),
    ("/inspector.js", SCRIPT, include_bytes!("page/inspector.js")),
    ("/format.js", SCRIPT, include_bytes!("page/format.js")),
    ("/dom.js", SCRIPT, include_bytes!("page/dom.js")),
];

/// The inspector, which `make inspector` builds.
#[cfg(inspector)]
const INSPECTOR: &[Asset] = &[
    (
        "/portcullis_inspector.js",
        SCRIPT,
        include_bytes!("../../inspector/portcullis_inspector.js"),
    ),
    (
        "/portcullis_inspector_bg.wasm",
        "application/wasm",
        include_bytes!("../../inspector/portcullis_inspector_bg.wasm"),
    ),
];

/// What says that there is none.
#[cfg(not(inspector))]
const INSPECTOR: &[Asset] = &[(
    "/portcullis_inspector.js",
    SCRIPT,
    include_bytes!("page/no_inspector.js"),
)];

/// Scripts and the module come from here, and nothing goes anywhere else. Texts never become
/// markup: no script may make any.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Returns what is at a path of the page, if it is one.
pub(super) fn asset(path: &str) -> Option<Response<Full<Bytes>>> {
    let mut assets = ASSETS.iter().chain(INSPECTOR);
    let (_, media_type, octets) = assets.find(|(at, ..)| *at == path)?;
    let mut response = with_type(StatusCode::OK, media_type, *octets);
    let fields = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fields {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}
