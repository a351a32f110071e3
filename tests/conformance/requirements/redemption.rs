//! Codes and refresh tokens at the token endpoint.

use portcullis_tests::oauth_flow::{Attempt, Browser, Tokens};

use crate::install::Mode;
use crate::world::{Front, PROXY, REDIRECT, check, check_all, refused};

#[test]
fn r24_a_code_counts_once_and_an_access_token_for_minutes() {
    check(&PROXY, |front| {
        let (attempt, code) = code(front);
        let granted = front.site().redeem(&attempt, &code);
        let seconds = granted.json()["expires_in"].as_u64().unwrap();
        assert!(seconds <= 900, "{seconds}");
        assert_eq!(
            front.site().call(&Tokens::read(&granted).access).status,
            200
        );
        refused(&front.site().redeem(&attempt, &code), "invalid_grant");
    });
}

#[test]
fn r24_a_refresh_token_is_replaced_by_each_use() {
    check_all(Mode::OidcProxy, |fronts| {
        let [one, two] = fronts else {
            panic!("one of each");
        };
        for (here, there) in [(one, two), (two, one)] {
            let (client, first) = here.site().sign_in();
            let second = Tokens::read(&here.site().refresh(&client, &first.refresh));
            assert_ne!(first.refresh, second.refresh);
            assert_eq!(here.site().call(&second.access).status, 200);
            // Where it was used, a client that was too quick gets the same answer for a moment.
            let again = there.site().refresh(&client, &first.refresh);
            refused(&again, "invalid_grant");
        }
    });
}

#[test]
fn r25_a_code_is_bound_to_its_client_verifier_and_redirect_uri() {
    check(&PROXY, |front| {
        let (attempt, code) = code(front);
        let site = front.site();
        let mut others = [attempt.clone(), attempt.clone(), attempt.clone()];
        others[0].verifier = site.attempt(&attempt.client).verifier;
        others[1].client.redirect_uri += "/other";
        others[2].client = site.register(REDIRECT);
        for other in others {
            refused(&site.redeem(&other, &code), "invalid_grant");
        }
        let without_verifier = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("client_id", &*attempt.client.id),
        ];
        let answer = site.post("/token", &without_verifier);
        refused(&answer, "invalid_request");
        // Who guesses spends nothing. That the answer is not to be kept is checked on the way.
        assert_ne!(Tokens::read(&site.redeem(&attempt, &code)).access, "");
    });
}

fn code(front: &Front) -> (Attempt, String) {
    let attempt = front.attempt();
    let code = front.site().code(&mut Browser::default(), &attempt);
    (attempt, code)
}
