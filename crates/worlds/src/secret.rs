//! The 256 bits a world is made of.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use std::fmt;

/// A world's secret. Never printed; opened at the close of a study.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// From the operating system.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Of a demonstration, which says that it is one: anybody who knows the seed knows the truth.
    pub fn of_seed(seed: u64) -> Self {
        Self(Sha256::new().chain_update("aar demonstration").chain_update(seed.to_le_bytes()).finalize().into())
    }

    /// From 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        Some(Self(hex::decode(text).ok()?.try_into().ok()?))
    }

    /// 64 hexadecimal digits, for the operator's file.
    pub fn reveal(&self) -> String {
        hex::encode(self.0)
    }

    /// SHA-256 of the secret, which may be published.
    pub fn commitment(&self) -> String {
        hex::encode(Sha256::digest(self.0))
    }

    /// An independent secret, for instance of one draw of a mint.
    pub fn child(&self, name: &str) -> Self {
        Self(Sha256::new().chain_update(self.0).chain_update("child").chain_update(name).finalize().into())
    }

    /// An independent stream of random numbers per purpose.
    pub fn stream(&self, purpose: &str) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(Sha256::new().chain_update(self.0).chain_update(purpose).finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    #[test]
    fn streams_are_reproducible_and_differ_by_purpose() {
        let secret = Secret::of_seed(1);
        let draw = |purpose: &str| secret.stream(purpose).next_u64();
        assert_eq!(draw("facts"), draw("facts"));
        assert_ne!(draw("facts"), draw("items"));
        assert_eq!(Secret::from_hex(&secret.reveal()), Some(secret.clone()));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}
