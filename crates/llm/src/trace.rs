//! Where a call belongs in a trace: the `traceparent` of W3C Trace Context, as a header and in the environment.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The header that carries it.
pub const HEADER: &str = "traceparent";
/// The environment variable that carries it to a process.
pub const VARIABLE: &str = "TRACEPARENT";

/// A span in a trace; neither number is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place {
    /// The trace.
    pub trace: u128,
    /// The span.
    pub span: u64,
}

impl Place {
    /// The span of this researcher's session of this number: both sides of a sandbox's wall know it without asking.
    pub fn session(self, number: u32) -> Self {
        Self { span: self.span.wrapping_add(number.into()).max(1), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no traceparent: 00-TRACE-SPAN-01 is one, with 32 and 16 hexadecimal digits");
        let mut parts = text.split('-').skip(1);
        let mut digits = |count: usize| {
            let fits = |part: &&str| part.len() == count && part.bytes().all(|byte| byte.is_ascii_hexdigit());
            parts.next().filter(fits).and_then(|part| u128::from_str_radix(part, 16).ok()).filter(|number| *number > 0)
        };
        let trace = digits(32).ok_or_else(wrong)?;
        let span = digits(16).and_then(|span| u64::try_from(span).ok()).ok_or_else(wrong)?;
        Ok(Self { trace, span })
    }
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_way_and_nothing_else_is_one() {
        // The example of the standard.
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let place: Place = text.parse().unwrap();
        assert_eq!((place.to_string().as_str(), place.span), (text, 0x00f0_67aa_0ba9_02b7));
        assert_eq!(place.session(2).span - place.span, 2);
        for wrong in
            ["", "00", &text[..50], &text.replace('4', "x"), &text.replace("00f067aa0ba902b7", &"0".repeat(16))]
        {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
