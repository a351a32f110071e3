//! JSON Web Keys and sets of them (RFC 7517).

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use super::{Algorithm, Curve, EcKey, PublicKey, RsaKey, der, publication};
use crate::json;
use crate::observation::KeyFacts;

/// The most keys that are kept of a set.
const MAX_KEYS: usize = 100;

const MIN_RSA_BITS: usize = 2048;
const MAX_RSA_BITS: usize = 8192;

/// The usable keys of a set, in its order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Jwks(Vec<Arc<Jwk>>);

/// A key that may check signatures.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Jwk {
    pub(super) kid: Option<String>,
    pub(super) alg: Option<Algorithm>,
    pub(crate) key: PublicKey,
}

/// Why a set has no key for a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NoKey {
    /// No key of that name, or none that fits a token without a name.
    Unknown,
    /// Keys of that name, but for other algorithms.
    OtherAlgorithm,
    /// The token names no key and several fit.
    Ambiguous,
}

impl Jwks {
    /// Parses a set (RFC 7517 §5). Keys that we do not know or cannot use are skipped; `None` when
    /// the document is no set at all.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        let set: RawSet = json::parse(document)?;
        let keys = set
            .keys
            .into_iter()
            .filter_map(Jwk::from_value)
            .take(MAX_KEYS);
        Some(Self(keys.map(Arc::new).collect()))
    }

    /// Returns how many keys it has.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the keys that may have signed a token with this header.
    pub(crate) fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<Vec<Arc<Jwk>>, NoKey> {
        let named: Vec<&Arc<Jwk>> = self
            .0
            .iter()
            .filter(|jwk| kid.is_none() || jwk.kid.as_deref() == kid)
            .collect();
        let fitting: Vec<Arc<Jwk>> = named
            .iter()
            .filter(|jwk| jwk.fits(algorithm))
            .map(|jwk| Arc::clone(jwk))
            .collect();
        match (fitting.len(), kid) {
            (0, Some(_)) if !named.is_empty() => Err(NoKey::OtherAlgorithm),
            (0, _) => Err(NoKey::Unknown),
            (1, _) | (_, Some(_)) => Ok(fitting),
            (_, None) => Err(NoKey::Ambiguous),
        }
    }

    /// Returns the names of the keys that have one.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|jwk| jwk.kid.as_deref())
    }

    /// Returns what each key is.
    pub(crate) fn describe(&self) -> impl Iterator<Item = KeyFacts> {
        self.0.iter().map(|jwk| KeyFacts {
            kid: jwk.kid.clone(),
            kind: jwk.key.kind(),
            algorithm: jwk.alg.map(Algorithm::name),
        })
    }

    /// Writes the set as JSON.
    pub(crate) fn publish(&self) -> String {
        publication::document(self.0.iter().map(AsRef::as_ref))
    }

    /// Tells whether the set holds `jwk`, by value.
    pub(crate) fn contains(&self, jwk: &Jwk) -> bool {
        self.0.iter().any(|present| present.as_ref() == jwk)
    }
}

impl Jwk {
    fn from_value(value: Value) -> Option<Self> {
        let raw: RawKey = serde_json::from_value(value).ok()?;
        let for_signatures = raw.usage.as_deref().is_none_or(|usage| usage == "sig");
        let may_verify = raw
            .key_ops
            .as_ref()
            .is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !for_signatures || !may_verify {
            return None;
        }
        let alg = match &raw.alg {
            Some(name) => Some(Algorithm::from_name(name)?),
            None => None,
        };
        let key = raw.public_key()?;
        let jwk = Self {
            kid: raw.kid,
            alg,
            key,
        };
        // A key whose `alg` is for another type of key is of no use.
        jwk.alg.is_none_or(|alg| jwk.fits(alg)).then_some(jwk)
    }

    /// Tells whether the key may check signatures of `algorithm`.
    fn fits(&self, algorithm: Algorithm) -> bool {
        use Algorithm as A;
        let type_fits = match (&self.key, algorithm) {
            (PublicKey::Rsa(_), A::Rs256 | A::Rs384 | A::Rs512) => true,
            (PublicKey::Rsa(_), A::Ps256 | A::Ps384 | A::Ps512) => true,
            (PublicKey::Ec(key), A::Es256) => key.curve == Curve::P256,
            (PublicKey::Ec(key), A::Es384) => key.curve == Curve::P384,
            (PublicKey::Ec(key), A::Es512) => key.curve == Curve::P521,
            (PublicKey::Ed25519(_), A::EdDsa) => true,
            (PublicKey::Rsa(_) | PublicKey::Ec(_) | PublicKey::Ed25519(_), _) => false,
        };
        type_fits && self.alg.is_none_or(|alg| alg == algorithm)
    }
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl RawKey {
    fn public_key(&self) -> Option<PublicKey> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => rsa(&octets(self.n.as_ref())?, &octets(self.e.as_ref())?),
            ("EC", Some("P-256")) => self.ec(Curve::P256),
            ("EC", Some("P-384")) => self.ec(Curve::P384),
            ("EC", Some("P-521")) => self.ec(Curve::P521),
            ("OKP", Some("Ed25519")) => octets(self.x.as_ref())?
                .try_into()
                .ok()
                .map(PublicKey::Ed25519),
            _ => None,
        }
    }

    fn ec(&self, curve: Curve) -> Option<PublicKey> {
        let (x, y) = (octets(self.x.as_ref())?, octets(self.y.as_ref())?);
        if x.len() != curve.coordinate_bytes() || y.len() != curve.coordinate_bytes() {
            return None;
        }
        let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
        let spki = der::ec_spki(curve, &point);
        Some(PublicKey::Ec(EcKey { curve, point, spki }))
    }
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<PublicKey> {
    let (modulus, exponent) = (significant(modulus), significant(exponent));
    let bits = bits(modulus);
    let sized = (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits);
    let odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    let exponent_fits = odd(exponent) && exponent != [1] && self::bits(exponent) <= 33;
    if !sized || !odd(modulus) || !exponent_fits {
        return None;
    }
    let spki = der::rsa_spki(modulus, exponent);
    Some(PublicKey::Rsa(RsaKey {
        modulus: modulus.into(),
        exponent: exponent.into(),
        spki,
    }))
}

/// Returns the number without leading zeros.
fn significant(number: &[u8]) -> &[u8] {
    let start = number
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(number.len());
    number.get(start..).unwrap_or_default()
}

fn bits(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |first| first.leading_zeros());
    let leading = usize::try_from(leading).unwrap_or(0);
    number.len().saturating_mul(8).saturating_sub(leading)
}

fn octets(text: Option<&String>) -> Option<Vec<u8>> {
    // Longer than any number that is accepted, so that no key costs more than its check.
    let text = text.filter(|text| text.len() <= 2048)?;
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    fn rsa_jwk(bits: usize, members: &str) -> String {
        let mut modulus = alloc::vec![0_u8; bits / 8];
        modulus[0] = 0x80;
        *modulus.last_mut().unwrap() = 1;
        let modulus = URL_SAFE_NO_PAD.encode(modulus);
        format!(r#"{{"kty":"RSA","n":"{modulus}","e":"AQAB"{members}}}"#)
    }

    fn ed_jwk(members: &str) -> String {
        format!(
            r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"{members}}}"#,
            URL_SAFE_NO_PAD.encode([7; 32])
        )
    }

    fn set(keys: &[String]) -> Jwks {
        Jwks::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
    }

    #[track_caller]
    fn usable(key: &str, expected: bool) {
        assert_eq!(
            set(&[key.to_string()]).0.len(),
            usize::from(expected),
            "{key}"
        );
    }

    #[test]
    fn keys_we_cannot_use_are_skipped() {
        usable(&rsa_jwk(2048, ""), true);
        usable(&rsa_jwk(1024, ""), false);
        usable(&rsa_jwk(2040, ""), false);
        usable(&rsa_jwk(8192 + 8, ""), false);
        usable(&rsa_jwk(2048, r#","use":"enc""#), false);
        usable(&rsa_jwk(2048, r#","key_ops":["sign"]"#), false);
        usable(
            &rsa_jwk(2048, r#","key_ops":["verify"],"use":"sig","alg":"PS384""#),
            true,
        );
        usable(&rsa_jwk(2048, r#","alg":"ES256""#), false);
        usable(&rsa_jwk(2048, r#","alg":"HS256""#), false);
        usable(&ed_jwk(r#","alg":"Ed25519""#), true);
        usable(r#"{"kty":"oct","k":"c2VjcmV0"}"#, false);
        usable(r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, false);
        usable(r#"{"kty":7}"#, false);
        usable("null", false);
    }

    #[test]
    fn a_document_without_a_list_of_keys_is_no_set() {
        for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]"#, "null"] {
            assert_eq!(Jwks::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(Jwks::parse(br#"{"keys":[]}"#), Some(Jwks::default()));
    }

    #[test]
    fn a_key_is_found_by_its_name_and_algorithm() {
        let keys = set(&[rsa_jwk(2048, r#","kid":"r""#), ed_jwk(r#","kid":"e""#)]);
        assert_eq!(
            keys.find(Some("r"), Algorithm::Ps256)
                .map(|found| found.len()),
            Ok(1)
        );
        assert_eq!(
            keys.find(Some("r"), Algorithm::Es256),
            Err(NoKey::OtherAlgorithm)
        );
        assert_eq!(keys.find(Some("x"), Algorithm::Rs256), Err(NoKey::Unknown));
        assert_eq!(
            keys.find(None, Algorithm::EdDsa).map(|found| found.len()),
            Ok(1)
        );
        assert_eq!(keys.find(None, Algorithm::Es256), Err(NoKey::Unknown));
        let twins = set(&[rsa_jwk(2048, ""), rsa_jwk(3072, "")]);
        assert_eq!(twins.find(None, Algorithm::Rs256), Err(NoKey::Ambiguous));
    }

    #[test]
    fn a_set_that_is_published_is_the_same_set() {
        let x = URL_SAFE_NO_PAD.encode([8; 32]);
        let y = URL_SAFE_NO_PAD.encode([9; 32]);
        let ec = format!(r#"{{"kty":"EC","crv":"P-256","kid":"c","x":"{x}","y":"{y}"}}"#);
        let keys = set(&[rsa_jwk(2048, r#","kid":"r","alg":"PS256""#), ed_jwk(""), ec]);
        assert_eq!(keys.0.len(), 3);
        assert_eq!(Jwks::parse(keys.publish().as_bytes()), Some(keys));
    }
}
