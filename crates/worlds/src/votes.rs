//! What weak labels say of claims: the sum of what the labels of the items say that make a claim.

use std::collections::HashMap;

/// Votes per claim.
#[derive(Default)]
pub(crate) struct Votes(HashMap<String, f32>);

impl Votes {
    /// An item of this soft label makes these claims; `sign` is -1 where the label speaks against them.
    pub fn add(&mut self, claims: Vec<String>, p: f32, sign: f32) {
        claims.into_iter().for_each(|claim| *self.0.entry(claim).or_default() += sign * (2.0 * p - 1.0));
    }

    /// Of the claim that the least is said for; 0 for claims that no item makes.
    pub fn least(&self, claims: &[String]) -> f32 {
        let of = |claim| self.0.get(claim).copied().unwrap_or(0.0);
        claims.iter().map(of).reduce(f32::min).unwrap_or(0.0)
    }
}
