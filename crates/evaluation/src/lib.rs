//! One evaluation from queue to score: stage, train, predict, record.
