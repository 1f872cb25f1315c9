//! A device that holds a passkey, as WebAuthn wants it: ES256, no attestation. It does what it is told, also what no real
//! one would.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const ORIGIN: &str = "https://scrip.example.com";
const RP_ID: &str = "scrip.example.com";
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// A device.
#[derive(Clone)]
pub struct Device {
    pub key: SigningKey,
    pub id: Vec<u8>,
    /// The person's handle, once a passkey is made.
    pub handle: Vec<u8>,
    /// How often it has signed.
    pub counter: u32,
    /// The page that it believes it talks to.
    pub origin: &'static str,
    /// Whether it checks a finger.
    pub verifies: bool,
}

impl Device {
    /// One of its own for every `seed`.
    pub fn new(seed: u8) -> Self {
        Self {
            key: SigningKey::from_slice(&[seed; 32]).expect("a key"),
            id: vec![seed; 24],
            handle: Vec::new(),
            counter: 0,
            origin: ORIGIN,
            verifies: true,
        }
    }

    /// Makes a passkey for what was asked: the answer.
    pub fn create(&mut self, ask: &Value) -> String {
        assert_eq!(ask["rp"]["id"], RP_ID);
        assert_eq!(ask["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(ask["authenticatorSelection"]["userVerification"], "required");
        self.handle = decoded(&ask["user"]["id"]);
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let key =
            [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20][..], x, &[0x22, 0x58, 0x20], y].concat();
        let length = u16::try_from(self.id.len()).expect("short").to_be_bytes();
        let data = [&self.data(ATTESTED)[..], &[0; 16], &length, &self.id, &key].concat();
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let attestation = [
            &[0xa3, 0x63][..],
            b"fmt",
            &[0x64],
            b"none",
            &[0x67],
            b"attStmt",
            &[0xa0, 0x68],
            b"authData",
            &[0x58, u8::try_from(data.len()).expect("short")],
            &data,
        ]
        .concat();
        let client = self.client("webauthn.create", ask);
        json!({
            "id": encoded(&self.id), "rawId": encoded(&self.id), "type": "public-key",
            "response": { "attestationObject": encoded(&attestation), "clientDataJSON": encoded(client.as_bytes()) },
        })
        .to_string()
    }

    /// Signs what was asked: the answer.
    pub fn sign(&mut self, ask: &Value) -> String {
        assert_eq!((&ask["rpId"], &ask["userVerification"]), (&json!(RP_ID), &json!("required")));
        assert_eq!(ask["allowCredentials"], json!([]), "nobody is told whose passkeys there are");
        self.counter += 1;
        let (data, client) = (self.data(0), self.client("webauthn.get", ask));
        let signed = [&data[..], &Sha256::digest(client.as_bytes())].concat();
        let signature: Signature = self.key.sign(&signed);
        json!({
            "id": encoded(&self.id), "rawId": encoded(&self.id), "type": "public-key",
            "response": {
                "authenticatorData": encoded(&data), "clientDataJSON": encoded(client.as_bytes()),
                "signature": encoded(signature.to_der().as_bytes()), "userHandle": encoded(&self.handle),
            },
        })
        .to_string()
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let flags = PRESENT | if self.verifies { VERIFIED } else { 0 } | more;
        [&Sha256::digest(RP_ID.as_bytes())[..], &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn client(&self, kind: &str, ask: &Value) -> String {
        json!({ "type": kind, "challenge": ask["challenge"], "origin": self.origin, "crossOrigin": false }).to_string()
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decoded(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().expect("a text")).expect("base 64")
}
