//! What an authorization request asks for, and how the answer travels.

/// What is asked for (OAuth 2.0 Multiple Response Types §3, §5). `token` alone is no value here, so
/// no profile can switch it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseType {
    /// A code.
    Code,
    /// An ID token.
    IdToken,
    /// An ID token and an access token.
    IdTokenToken,
    /// A code and an ID token.
    CodeIdToken,
    /// A code and an access token.
    CodeToken,
    /// All three.
    CodeIdTokenToken,
}

impl ResponseType {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Code,
        Self::IdToken,
        Self::IdTokenToken,
        Self::CodeIdToken,
        Self::CodeToken,
        Self::CodeIdTokenToken,
    ];

    /// Its words in metadata and registrations, in alphabetical order.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::IdToken => "id_token",
            Self::IdTokenToken => "id_token token",
            Self::CodeIdToken => "code id_token",
            Self::CodeToken => "code token",
            Self::CodeIdTokenToken => "code id_token token",
        }
    }

    /// Reads the words in any order (RFC 6749 §3.1.1); none may stand twice.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        let sorted = words.join(" ");
        Self::ALL.iter().copied().find(|one| one.name() == sorted)
    }

    /// Whether a code is part of it.
    #[must_use]
    pub fn has_code(self) -> bool {
        !matches!(self, Self::IdToken | Self::IdTokenToken)
    }

    /// Whether an ID token comes with the answer itself.
    #[must_use]
    pub fn has_id_token(self) -> bool {
        !matches!(self, Self::Code | Self::CodeToken)
    }

    /// Whether an access token comes with the answer itself.
    #[must_use]
    pub fn has_token(self) -> bool {
        matches!(
            self,
            Self::IdTokenToken | Self::CodeToken | Self::CodeIdTokenToken
        )
    }

    /// The mode when none is asked for (Multiple Response Types §2.1, §5).
    #[must_use]
    pub fn default_mode(self) -> ResponseMode {
        match self {
            Self::Code => ResponseMode::Query,
            _ => ResponseMode::Fragment,
        }
    }
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponseMode {
    /// In the query.
    Query,
    /// Behind the `#`.
    Fragment,
    /// As a form that posts itself.
    FormPost,
    /// In the query, signed as a whole (JARM §2.3).
    QueryJwt,
    /// Behind the `#`, signed as a whole.
    FragmentJwt,
    /// As a form that posts itself, signed as a whole.
    FormPostJwt,
}

impl ResponseMode {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Query,
        Self::Fragment,
        Self::FormPost,
        Self::QueryJwt,
        Self::FragmentJwt,
        Self::FormPostJwt,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
            Self::QueryJwt => "query.jwt",
            Self::FragmentJwt => "fragment.jwt",
            Self::FormPostJwt => "form_post.jwt",
        }
    }

    /// The mode of that name; `jwt` is the signed form of the default (JARM §2.3.4).
    #[must_use]
    pub fn parse(name: &str, response_type: ResponseType) -> Option<Self> {
        if name == "jwt" {
            return Some(response_type.default_mode().signed());
        }
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// The mode that signs the answer and is otherwise the same.
    #[must_use]
    pub fn signed(self) -> Self {
        match self {
            Self::Query | Self::QueryJwt => Self::QueryJwt,
            Self::Fragment | Self::FragmentJwt => Self::FragmentJwt,
            Self::FormPost | Self::FormPostJwt => Self::FormPostJwt,
        }
    }

    /// Whether the answer is signed as a whole.
    #[must_use]
    pub fn is_signed(self) -> bool {
        self.signed() == self
    }

    /// Whether tokens may travel so: never unsigned in a query, which servers log (Multiple
    /// Response Types §3.0, JARM §2.3.1).
    #[must_use]
    pub fn carries(self, response_type: ResponseType) -> bool {
        let in_query = matches!(self, Self::Query | Self::QueryJwt);
        response_type == ResponseType::Code || !in_query
    }
}
