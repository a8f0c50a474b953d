//! What tokens cost: dated data, and arithmetic in whole numbers.

use crate::error::GatewayError;
use aar_llm::conversation::Usage;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The table that ships.
const SHIPPED: &str = include_str!("prices.toml");

/// US$ per million tokens, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Read at the full price.
    pub input: f64,
    /// Written.
    pub output: f64,
    /// Read from the cache; like `input` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    /// Written to the cache; like `input` where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    /// Prompts longer than this many tokens cost `long_factor` times as much to read, `long_output_factor` times to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_from: Option<u64>,
    /// See `long_from`.
    #[serde(default = "one")]
    pub long_factor: f64,
    /// See `long_from`.
    #[serde(default = "one")]
    pub long_output_factor: f64,
}

fn one() -> f64 {
    1.0
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The model's name at its provider, without a date.
    pub model: String,
    /// When the price was looked up.
    pub date: String,
    /// Where.
    pub source: String,
    /// The price.
    #[serde(flatten)]
    pub price: Price,
}

/// All rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The rows.
    #[serde(rename = "price", default)]
    pub rows: Vec<Row>,
}

impl Prices {
    /// The table that ships, with the rows of `file` before it.
    pub fn load(file: Option<&Path>) -> Result<Self, GatewayError> {
        let parse = |text: &str, name: &str| {
            toml::from_str::<Prices>(text)
                .map_err(|error| GatewayError::Prices { file: name.into(), detail: error.to_string() })
        };
        let mut rows = Vec::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path).map_err(GatewayError::file("read", path))?;
            rows = parse(&text, &path.display().to_string())?.rows;
        }
        rows.extend(parse(SHIPPED, "prices.toml")?.rows);
        match rows.iter().find(|row| !row.price.is_sound()) {
            Some(row) => {
                Err(GatewayError::Prices { file: row.model.clone(), detail: "a price is negative or no number".into() })
            }
            None => Ok(Self { rows }),
        }
    }

    /// A model's row: by its name, or by its name without the date at its end.
    pub fn find(&self, model: &str) -> Option<&Row> {
        let row = |name: &str| self.rows.iter().find(|row| row.model == name);
        row(model).or_else(|| row(undated(model)))
    }
}

/// `model-20250929` and `model-2025-09-29` are the model.
fn undated(model: &str) -> &str {
    let bytes = model.as_bytes();
    let ends_as = |pattern: &[u8]| {
        let tail = bytes.len().checked_sub(pattern.len()).map(|at| &bytes[at..]);
        let fits = |(byte, wanted): (&u8, &u8)| if *wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
        tail.is_some_and(|tail| tail.iter().zip(pattern).all(fits))
    };
    let length =
        [b"-0000-00-00".as_slice(), b"-00000000"].into_iter().find(|pattern| ends_as(pattern)).map_or(0, <[u8]>::len);
    &model[..model.len() - length]
}

impl Price {
    /// Nothing is paid: a local server.
    pub const FREE: Price = Price {
        input: 0.0,
        output: 0.0,
        cache_read: None,
        cache_write: None,
        long_from: None,
        long_factor: 1.0,
        long_output_factor: 1.0,
    };

    /// Every number is one that can be paid.
    pub fn is_sound(&self) -> bool {
        let numbers = [self.input, self.output, self.cache_read.unwrap_or(0.0), self.cache_write.unwrap_or(0.0)];
        let factors = [self.long_factor, self.long_output_factor];
        numbers.iter().chain(&factors).all(|number| (0.0..1e6).contains(number))
    }

    /// Nano-dollars, rounded up once.
    pub fn cost(&self, usage: &Usage) -> i64 {
        let prompt = usage.input.saturating_add(usage.cache_read).saturating_add(usage.cache_write);
        let long = self.long_from.is_some_and(|from| prompt > from);
        let (reading, writing) = if long { (self.long_factor, self.long_output_factor) } else { (1.0, 1.0) };
        let part = |tokens: u64, price: f64| u128::from(tokens) * u128::from(pico(price));
        let sum = part(usage.input, self.input * reading)
            + part(usage.cache_read, self.cache_read.unwrap_or(self.input) * reading)
            + part(usage.cache_write, self.cache_write.unwrap_or(self.input) * reading)
            + part(usage.output, self.output * writing);
        i64::try_from(sum.div_ceil(1000)).unwrap_or(i64::MAX)
    }

    /// The most that so many tokens can cost, whatever their kind and the prompt's length.
    pub fn worst(&self, input: u64, output: u64) -> i64 {
        let kinds = [
            Usage { input, output, ..Usage::default() },
            Usage { cache_read: input, output, ..Usage::default() },
            Usage { cache_write: input, output, ..Usage::default() },
        ];
        let short = Self { long_from: None, ..*self };
        kinds.iter().map(|usage| self.cost(usage).max(short.cost(usage))).max().unwrap_or(0)
    }
}

/// US$ per million tokens are pico-dollars per token, times 10⁶ (and prices have few digits, so that this is exact).
fn pico(price: f64) -> u64 {
    (price * 1e6).round() as u64
}

/// US$ as nano-dollars.
pub fn nano(usd: f64) -> i64 {
    (usd * 1e9).round() as i64
}

/// Nano-dollars as US$.
pub fn usd(nano: i64) -> f64 {
    nano as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_sound_and_says_whence() {
        let prices = Prices::load(None).unwrap();
        assert!(prices.rows.len() > 5);
        for row in &prices.rows {
            assert!(row.date.len() == 10 && row.source.starts_with("https://"), "{row:?}");
            let Price { input, output, cache_read, .. } = row.price;
            assert!(output > input && cache_read.unwrap_or(0.0) < input, "{row:?}");
        }
        for name in ["claude-haiku-4-5", "claude-haiku-4-5-20251001", "gpt-4.1-2025-04-14"] {
            assert!(prices.find(name).is_some(), "{name}");
        }
        assert!(prices.find("claude-haiku-4-5-fast").is_none(), "another model may have another price");
    }

    #[test]
    fn kinds_cost_apart_and_a_sum_is_rounded_up_once() {
        let price = Price { input: 3.0, output: 15.0, cache_read: Some(0.3), cache_write: Some(3.75), ..Price::FREE };
        let usage = Usage { input: 1_000_000, output: 100_000, cache_read: 2_000_000, cache_write: 40_000 };
        assert_eq!(price.cost(&usage), nano(3.0 + 1.5 + 0.6 + 0.15));
        let cheap = Price { input: 0.0375, output: 0.15, ..Price::FREE };
        assert_eq!(cheap.cost(&Usage { input: 1, ..Usage::default() }), 38, "37.5 nano-dollars");
        assert_eq!(cheap.cost(&Usage { input: 2, ..Usage::default() }), 75);
        let long = Price { long_from: Some(1000), long_factor: 2.0, long_output_factor: 1.5, ..price };
        assert_eq!(long.cost(&Usage { input: 1001, output: 10, ..Usage::default() }), 1001 * 6000 + 10 * 22_500);
    }

    #[test]
    fn the_worst_case_is_one() {
        let price = Price {
            input: 3.0,
            output: 15.0,
            cache_read: Some(0.3),
            cache_write: Some(3.75),
            long_from: Some(500),
            long_factor: 2.0,
            long_output_factor: 1.5,
        };
        for (input, cache_read, cache_write, output) in
            [(900, 0, 0, 50), (0, 900, 0, 50), (1, 2, 897, 50), (300, 300, 300, 0)]
        {
            let cost = price.cost(&Usage { input, output, cache_read, cache_write });
            assert!(cost <= price.worst(900, 50), "{cost}");
        }
        assert_eq!(
            price.cost(&Usage { input: u64::MAX, output: u64::MAX, cache_read: u64::MAX, cache_write: 0 }),
            i64::MAX
        );
    }
}
