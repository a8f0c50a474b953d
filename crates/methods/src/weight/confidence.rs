//! By the teacher's distance from a coin toss.

/// |2p − 1| per row.
pub fn raw(weak: &[f32]) -> Vec<f32> {
    weak.iter().map(|p| (2.0 * p - 1.0).abs()).collect()
}
