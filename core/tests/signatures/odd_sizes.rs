//! RSA keys whose size is no whole number of octets, and the smallest exponent: padding starts in
//! the middle of an octet there. Made with OpenSSL.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::jose::{Algorithm, PublicKey, RsaKey};

use crate::verdict;

const MESSAGE: &[u8] = b"odd sizes";

struct Vector {
    modulus: &'static str,
    exponent: &'static [u8],
    pkcs1: &'static str,
    pss: &'static str,
    /// With the longest salt that fits.
    pss_long_salt: &'static str,
}

#[test]
fn keys_of_2049_2054_and_3071_bits() {
    for vector in VECTORS {
        let modulus = decode(vector.modulus);
        let key = PublicKey::Rsa(RsaKey {
            spki: rsa_public_key(&modulus, vector.exponent),
            modulus,
            exponent: vector.exponent.to_vec(),
        });
        let check = |algorithm, signature| {
            verdict(algorithm, &key, MESSAGE, &decode(signature), vector.modulus)
        };
        assert!(check(Algorithm::Rs256, vector.pkcs1));
        assert!(check(Algorithm::Ps256, vector.pss));
        assert!(!check(Algorithm::Ps256, vector.pss_long_salt));
        assert!(!check(Algorithm::Ps256, vector.pkcs1));
        assert!(!check(Algorithm::Rs256, vector.pss));
    }
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Encodes an `RSAPublicKey` (RFC 8017, appendix A.1.1) of two numbers below 64 KiB.
fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let element = |tag: u8, content: &[u8]| {
        let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
        let length: &[u8] = match (high, low) {
            (0, 0..0x80) => &[low],
            (0, _) => &[0x81, low],
            _ => &[0x82, high, low],
        };
        [&[tag], length, content].concat()
    };
    let integer = |number: &[u8]| {
        let sign: &[u8] = if number[0] >= 0x80 { &[0] } else { &[] };
        element(0x02, &[sign, number].concat())
    };
    element(0x30, &[integer(modulus), integer(exponent)].concat())
}

const VECTORS: [Vector; 3] = [
    Vector {
        modulus: "Ad6yKeF4bwk9daKZz-JgSUbFZTVEkR3UqUFffVShFH71qKxB_9bDzLAaSs3JMPzOCHwFVtmG-hACAIqSidCj\
            NbuV9ke3joXu1frT-\
            i5cmMtNyN6ScpnZjpYQHOJU3swqHm7pQYy8jyXMD2TGA0NyzcWOpo5uwftjYtjKHLyEmMcEHur08VgfdAK8q\
            p2DugIEWJ00yFr9dUX3mr4lzHEsEOOm8cxlrD5f6flNUNY6HQaQHCWVtmpCalPaMBauTp7Z_0527FblqQSqb\
            cGLXjKV88Eh1yCRLUADXBODFFhxmXZZ7FXDxpqIGi98Mk0IdjNE-z6cICQlNZSatSqlRPgPswE",
        exponent: &[3],
        pkcs1: "ASCMZUJvQXfY_cHZzk1HkaxD0jfc4vKkEQeoPEOT-ItFD_BjASxsR66GYacFXtMGrhjvRbj7R0ddT-TkgRRU\
            sgtJiTHHPz_5pfIcJ3OvWqz2wSo3pV_rs3anOsH1J_BAWrt0VV5R-q9-\
            cTx5HEKkqljuxkIGUlyLz2XxcBhuep_2Tt3ZO2w0QVP3Ef9Abgx1hjSTfdmfvw0uzRlp7cVxw9jxbqjTdrTh\
            hlEsPrzK66Wn_GBzd3_-_59m6o5m556X0wUh2uBYujrXzvMF16JcwYXbKf9qnK-\
            fSAQp7-0_bBzCuiFRnXHuWKcxVajdNIL_I2-vv7cyMs1tdiBj-GBstSw",
        pss: "ALZz7UkzcFasKgCIYL38BguoB2HJHp8b2zzDTGGG28oiUs5BpHQd59n6HZHTm7_XTjYoGYE-\
            kKYt_62y7V7_XQsrxxLLbKnHLNoalDX18N9TTLwePCzzrgEhw8s9V66DdgNVFm50sNlTz5dTmwY-OS8M6JBD\
            B7b5wPyVxhcL7lTJoVBsbBxsMzt49XS7SXYH3eMNQZ2CCqYkrcwnJnu0CmPNNy06ttL_pBsErYnWQqtWbneA\
            AUASC4cFQNuTvspDBgpCfLy31lQepWb7CMP32QgsI5Q-ya-\
            atVjekHLrjqfSdA5gj8z2dgAMMc4E_hXdgvB75aZqp9YgmEY7TdxbTfA",
        pss_long_salt: "AIWdipHyeMdKjXuL6tzCkwW_ykDIp6t0AyHuopuxpehbmZAdu1Ve8k-\
            L2ucpv6L0tmq0y8tT5BFTs6nN1O7tM320J3DAcjPoEOBc04kZdOnSCvMNsRu5-\
            zkjPtXrvyTuyMB2rGSbtVoHheFyG5-2LJbV3TvjzjOKS3J5IeeYfuK851K6AseyRGvRT3d85fGnHSRA-oyTE\
            piM26oodi17VHDsLZaoIlQmKFDNDH83TXHpYT6JML4m-juP7hFylW04EtAJYSMSkG8-\
            fIxAWBZ3WioAuNYTmYXWvIWja4NOQaJFNjDV19Q7lBq-nBqd3LrtRC1NTzybevGZ0GZsC1vJh8Y",
    },
    Vector {
        modulus: "KAcmqdG8o_MYUcBDwp0hBzEZmoZuO-\
            96uKwM6XpH2NYdM17zbfD_axm5hRfGQbsVQLRUn49N3K_g5sjDsbwN_Cpm7_Ym2yfNwAZd0iCU-zUn3P-\
            GPknBZ9tdYYLyLNhRpnXTv5b9PZAhji18ex9cvkoTlUu09mn3jGVxkaU4Av412FIBaQdJK7vnosp6aCDqSMO\
            6hanppllY24kIEDRYzAx6C2_G8Y_lCBjsREPV1OI6oVNABB2f94W5r2qM_m4H5YiDBx8kD7axddYcK9uuhUx\
            4pO9s6KLG9Q5azfaF-P1EVjHP7_KD63JRTFuYH1DvrZ0dwEgsQ_v1EHeT1lx1bjk",
        exponent: &[1, 0, 1],
        pkcs1: "J2ErkSeLYUdEmem-kSNLg98D2elM524S7c2bQF0H3axT6WuA2i0aGphKMcYXyHQ-IfedpYWlvr6dm8aj5Bd8\
            8UupRBgPWYx9ZpDeRYqGyD7yxDr7A028GRqAaBiGddT-\
            1NagdYL3qniZds6e89NkxfFRvw5eDYO_nat2_2jncyS13yJtgmT9QFyLm4mbfRWJk6aIkUedSnuBg-\
            VHWiADxI6wH4wOoRBn2-g-SdlqX-NizlQs5Ar39C-5Mlr-\
            7xv493hQv9gTZf9ea78PNrc_7eg0H9VV97rIFSDln8OkB_y2dUmx05rGvbe_xOcWy0jh7mG6R1FHLSImRiva\
            iYV8JbE",
        pss: "EiEifCCJUgx7XM8C2KgL-5rcQDJanR0s4GE7-gpJ-UQ6e4Uu_82kwXN--qvl10GhncbRGYTe_js0HUP4Klz3\
            YU4XGSDUkPbDCH2RjavVGuLoPEc80EPsqaLnoxfAnsaoAPObaiItSM2eABu-\
            43b1NpZDdrAT5DWuDafFg7geEYQlsuW_d2Tr_tsb7y4sg4x5-_BZKaTDEmkCJyME7guys3j-\
            zg0s3SlpKCarpscw97d7u7mJRoRXWQ79XdxN06ACbWb9f5ZXcdz4CNSZo7nyNl7JO-\
            QgtQgDU409lSH9cZhUzc4N_5TWCSw-ktPIckcOcGyX3H9-SM64-43H2p7w8G0",
        pss_long_salt: "ChYPlEGDbZVF4tjSiwBSFMCNo_7pcN7FifvJzcfLlYGLNBClcy4bKNzNvHUqD_mKbry7rIlB9I4Yhms8GLYW\
            jDIFkEuAKEwdWfZFOCIv7SEgDHL-\
            YwOlpkXLEJLyCwZNMRslXP2TsDZtgrZ1M8atS2aySFBDflJgBuF0LV4LHB4KJNi6dM7a7EQKrvSQxV-nyXjB\
            7bZWuFm9b-ZI6Vjly_-\
            7wUWMMo9awVNJROH8D8aCwzl8cXm3PMTgbkmaWUWgbpKNVdmtSkb3gmN74r1xtDQfTnRTSwfyw01j_r2JumD\
            HLhft_yW0KKvJaeQq_JzL-lVg72rDhzoI0jnrSyzRRtI",
    },
    Vector {
        modulus: "W9ZkMeOnAH-BBxpkHO_kQgsrkENuIRZLvSdCf3qVaGxrvnh-hOVyjbdv8EJj2H8hVXwA-N2Bj-\
            2Zq6a9Kx5NaoIEVbZ6ltZU84x6_MLz1tgafXAi4WhfA19bpIroZgyHCQ34kwkdZ5nx6Gf2pWC_5YIPV81EvF\
            duzZ67zQ3fBKWBOAfh59RluJ60fYEx7VWs-oJK5xbhOUfZ6xuShUv5u4YXE8GCsX69Jtd2PC0o9Om4ZJ9q_-\
            wcCb5YcXZjMNgs84-\
            Vh5mRkaurND2CeEl5LicBdhzkMEkvmPyEKGqfoNysgYqYMQ_rcbi9YnOhyxNrrbC_9CGdzt79IgW-frZUkBN\
            UhRUN_0y0IAL2fpoYX4NcoMB8tCxuxVwUWYhG1LtUFpWV8wOkY0ERFxYA2qudPaQiXMO4M5xdHKLqzxHCAZ6\
            9rdLEBRwkpB6r04prncYW1JXYVxfxaTlhAjWNsO8MnwJma4_OvDEhhO-\
            SAPHhOInT0-uMsvhyOgGTmHkLH7AX",
        exponent: &[3],
        pkcs1: "QJIJS55w2Cgqw7-YCZwVBiwffp51-\
            r4plD3QM2afNfhyfvDVpi3rG_W5dC2jFE3T5u_GbdM61TG06EPGpiDMzLi_qoJngDcQPgrpGQCAJyOC5pBx-\
            5ilTfjcqIDFfvbe5nKaNuqNG0nHbPpgrxLFFM3W3rX-EWmj5b0za-oPcHuSnGFLjnEal9l4EUEreFUQxz4nZ\
            HSDRaWWv4Ev5iUjb8gCqHcPSGepypesHga6RmSYv7jZCdB31t_pE8DwcyNz5KSbeedQFelPEFt9N2eiVFSAI\
            XC_jC4OQgrntvGifBVrdG_yIhueea55-\
            NQz2PBzC8NXYq6BARiSOwRaPy3yk0Qj20V4i7C3LYDx7zAhjSSvc4yY1hmSCNJuVUD7H34ygZ9_rcpWE-\
            nz0KuWtk9V1fvBHRFNP3-VVgN1J4uAXjRpNRmYg3-sn8McnKWAoeARNM5LZBiMOsjZVeuXRlWl-\
            UDq8xBGrx-yaI5lsfPnC0psfNvwbcDSbrFWPDcbqmkb",
        pss: "ADek8HcpfHwY2KX7fP-GV_JO-BJQHguGCrFgqvltnC_Ut8UwfoTynB5_0okDQa94T60vim5zfg_JFw59t_mb\
            H7jp4gtwAfvm7qaUcCdO09YbQLG1IPthO4q1j324xreZYY-gsvhWFWcWM72XzPk4Ag1dRprlemzXvj6Ujh4Z\
            uqD8neBy7vqGyCNmLChbT5VQIMqN6HyDpuogA79k7CeuRove_jaI14rnXj5P5EECE-\
            C__pQfEVHmRMEk7wVnXbxsDKudx-PDxpax1_ZLu6r0BJhmzUU-om322OfG6ZCwoKg07dKwYZKXsCfsbso15L\
            xud40qHFMusGbIDMLo6b3YhM7TnbVt8zymaK7QE0KonJqPzEHb7r1dI4WmYdgISGk7nQAy_1rKh992K1ZuZ8\
            zPTS--hdRgD2ihAr2M1QjfT6dQECDuq-tP5UJFcuNn-lIq-izN8s4ZIwMnSm5UMTd--\
            QMzQ4q1xwpb75piVXSTyk2XfH86lQa62SYkc3DFrJwE",
        pss_long_salt: "UAziXa6mFv25UszNvzpB_G4FOcYAnZCki8UynqYmKJtpHnrROTYxd9VH82sro7SOHSqiree1PGYniFRS5rDw\
            7FyWmVkawscubrKg8-0fdXjQvszZcZoeaSJ2zLgPWye3DyOQuv5Kxnc1rT_IdOovKlZBdZh-yD8z5FYbyFdZ\
            nU2doZo1nES7sYL27knn59BH3uiENcNrtcI8QAw0QNWeoHu69jhITy7hw_ouq7jWGTZuq9fWcElvI7O-\
            CCNrPkermjm8P_gOYBwud4KYBgkiVWbcQePGJJqaiLy3kiQcHMSK4-ses__1tFKgd9YViOk-\
            1lgTmg_5sSHa-ADKsOJj2uBe4bDPU1xp_Sr5LoqT0tUD8uE3QUYPnmArYNTnrkdigF5aumdTpvJb2ggxTv0s\
            QEZZP8vVf7mVf6xpwDeOxZW2_Bj6AfGT0UVVy-q7iy-\
            zfrGPbCAl2Wcc3SjrGXS_9JT5X92h7zjkV6d6noY3EAbwWOz04XlND-DQK_EJaZ4z",
    },
];
