//! May this tenant send this, and by which carriers?
