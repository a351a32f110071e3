//! Mode jwt while the JWKS cannot be had: 503, never 401.

use portcullis_tests::authorization_server::JWKS_PATH;
use portcullis_tests::{Alg, Answer, Behaviour, Request, Settings};
use serde_json::json;

use super::jwt::{bearer, invalid, missing};
use crate::table::{Group, World, claims, keys, row, unavailable};

fn group(world: &World, behaviour: Behaviour) -> Group {
    world.authorization_server.on_path(JWKS_PATH, behaviour);
    let settings = Settings::new().with("ZSCALER_MCP_AUTH_MODE", "jwt").with(
        "ZSCALER_MCP_AUTH_JWKS_URI",
        world.authorization_server.url(JWKS_PATH),
    );
    let rows = vec![
        row(
            "a token that nobody can check is an outage",
            bearer(keys().p256.token(Alg::Es256, &claims())),
            unavailable(),
        ),
        row(
            "so is the next one",
            bearer(keys().rsa.token(Alg::Rs256, &claims())),
            unavailable(),
        ),
        row(
            "no token is still asked for one",
            Request::get("/mcp"),
            missing(),
        ),
        row(
            "a broken token is still invalid",
            bearer("broken"),
            invalid(),
        ),
    ];
    Group { settings, rows }
}

pub(crate) fn failing(world: &World) -> Group {
    group(
        world,
        Behaviour::json(503, &json!({"error": "temporarily_unavailable"})),
    )
}

pub(crate) fn missing_document(world: &World) -> Group {
    group(world, Behaviour::status(404))
}

pub(crate) fn page(world: &World) -> Group {
    group(
        world,
        Behaviour::Answer(
            Answer::new(200)
                .field("content-type", "text/html")
                .body("<html></html>"),
        ),
    )
}

pub(crate) fn redirect(world: &World) -> Group {
    world.authorization_server.publish(keys().jwks());
    let moved = world.authorization_server.url("/elsewhere");
    world.authorization_server.on_path(
        "/elsewhere",
        Behaviour::json(200, &json!({"keys": keys().jwks()})),
    );
    group(
        world,
        Behaviour::Answer(Answer::new(302).field("location", moved)),
    )
}

pub(crate) fn cut(world: &World) -> Group {
    group(
        world,
        Behaviour::Cut(Answer::json(200, &json!({"keys": keys().jwks()}))),
    )
}

pub(crate) fn huge(world: &World) -> Group {
    let filler = json!({"kty": "oct", "k": "x".repeat(3 << 20)});
    group(
        world,
        Behaviour::json(200, &json!({"keys": [keys().p256.jwk(), filler]})),
    )
}

pub(crate) fn closed(world: &World) -> Group {
    group(world, Behaviour::Close)
}

pub(crate) fn nested(world: &World) -> Group {
    group(
        world,
        Behaviour::Answer(
            Answer::new(200)
                .field("content-type", "application/json")
                .body("[".repeat(90_000)),
        ),
    )
}
