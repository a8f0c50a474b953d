//! Keep the truth, answer only with scores, and keep account of what the answers gave away.
