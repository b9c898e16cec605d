//! Which of a statement's values are the caller's, the moment's or the path's, so that it can be used
//! again with those of another request.

use std::cell::RefCell;

use lang::{ExprKind, value_of};
use sql::Value;

use crate::access::RequestEnvironment;

/// A value that another request may have in another way.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fact {
    /// What is known of the caller, or of the moment.
    Told(ExprKind),
    /// This value of the key in the path.
    Key(usize),
}

/// Takes down, while a read is planned, which bound value is which fact. Made for reads of one
/// statement.
#[derive(Debug, Default)]
pub(crate) struct Facts(RefCell<Vec<(usize, Fact)>>);

impl Facts {
    /// The value that is bound next, `place` values after the first, is this fact.
    pub(crate) fn add(&self, place: usize, fact: Fact) {
        self.0.borrow_mut().push((place, fact));
    }

    /// Those of the request, by the places of their values.
    pub(crate) fn into_inner(self) -> Vec<(usize, Fact)> {
        self.0.into_inner()
    }
}

impl Fact {
    /// What it is now; `None` for what cannot be known again.
    pub(crate) fn value(
        &self,
        environment: &RequestEnvironment<'_>,
        key: Option<&[Value]>,
    ) -> Option<Value> {
        match self {
            Self::Told(fact) => value_of(fact, environment),
            Self::Key(place) => key?.get(*place).cloned(),
        }
    }
}
