//! The token endpoint: what is asked for, by whom, and whether it may be given.

mod assertion;
mod bearer;
mod client_auth;
mod code;
mod error;
mod exchange;
mod request;
mod scope;

pub use bearer::{BearerAssertion, BearerExpectations, check_bearer_assertion};
pub use client_auth::{
    Authenticated, ClientCertificate, ClientProof, Presented, check_client, read_client,
};
pub use code::{IssuedCode, Presenter, redeem_code};
pub use error::{TokenErrorCode, TokenRequestError};
pub use exchange::{Actor, ExchangeToken, TokenType, check_exchange};
pub use request::{GrantRequest, TokenRequest, parse_token_request};
pub use scope::{narrow_resource, narrow_scopes};
