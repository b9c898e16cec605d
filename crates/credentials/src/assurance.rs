//! How sure one can be of who somebody is, and whether that is enough.
//!
//! A session collects what was proven and when. From it follow the `amr` and `acr` of its tokens,
//! and the answer to what a role, a route or a policy demands.

/// A way to prove who one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// A password, shown or proved by OPAQUE.
    Password,
    /// A code of an authenticator app.
    Totp,
    /// A recovery code, which stands for the app or key that was lost.
    RecoveryCode,
    /// A passkey that asked for finger, face or PIN.
    Passkey {
        /// Whether it can be copied to other devices, by its maker's cloud.
        synced: bool,
    },
    /// A key that only saw that somebody touched it.
    SecurityKey,
    /// Another provider says who it is; what it asked for is its own affair.
    Upstream,
}

/// What was proven, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// How.
    pub method: Method,
    /// Seconds since 1970.
    pub at: i64,
}

/// How sure one can be; each level is more than those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Assurance {
    /// Nothing is proven.
    Nothing,
    /// One factor.
    Single,
    /// Two factors of different kinds.
    Multi,
    /// Two factors, and a page of somebody else's could not have passed them on.
    PhishingResistant,
}

/// What a role, a route or a policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The least level.
    pub assurance: Assurance,
    /// The most seconds since each proof that counts; for acts that ask for a fresh one.
    pub max_age: Option<i64>,
}

/// All that a session's owner has proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence(Vec<Proven>);

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Password,
        Self::Totp,
        Self::RecoveryCode,
        Self::Passkey { synced: true },
        Self::Passkey { synced: false },
        Self::SecurityKey,
        Self::Upstream,
    ];

    /// The name under which it is stored and told to pages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Passkey { synced: true } => "synced_passkey",
            Self::Passkey { synced: false } => "passkey",
            Self::SecurityKey => "security_key",
            Self::Upstream => "upstream",
        }
    }

    /// Reads [`Method::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Something one knows, or that knows one: what a finger or PIN adds to a key.
    fn is_knowledge(self) -> bool {
        matches!(self, Self::Password | Self::Passkey { .. } | Self::Upstream)
    }

    /// Something one has.
    fn is_possession(self) -> bool {
        matches!(
            self,
            Self::Totp | Self::RecoveryCode | Self::Passkey { .. } | Self::SecurityKey
        )
    }

    /// Whether it is bound to the site's name, so that another site gets nothing of use.
    fn is_bound_to_the_site(self) -> bool {
        matches!(self, Self::Passkey { .. } | Self::SecurityKey)
    }

    /// RFC 8176 §2. What another provider did is not ours to claim.
    fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::Totp | Self::RecoveryCode => &["otp"],
            Self::Passkey { synced: true } => &["swk", "user"],
            Self::Passkey { synced: false } | Self::SecurityKey => &["hwk", "user"],
            Self::Upstream => &[],
        }
    }
}

impl Assurance {
    /// All levels that something can be.
    pub const ALL: [Self; 4] = [
        Self::Nothing,
        Self::Single,
        Self::Multi,
        Self::PhishingResistant,
    ];

    /// The value of `acr`: `0`, `single`, `mfa`, or `phr` as the OpenID Connect Extended
    /// Authentication Profile calls it. `0` is `OpenID` Connect Core's word for no assurance at all.
    #[must_use]
    pub fn acr(self) -> &'static str {
        match self {
            Self::Nothing => "0",
            Self::Single => "single",
            Self::Multi => "mfa",
            Self::PhishingResistant => "phr",
        }
    }

    /// Reads an `acr` of ours, as a setting or a client names it.
    #[must_use]
    pub fn from_acr(acr: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.acr() == acr)
    }

    /// Whether who reached this level may do what asks for `wanted`.
    #[must_use]
    pub fn satisfies(self, wanted: Self) -> bool {
        self >= wanted
    }

    /// What a set of methods amounts to. Two things that one has are one factor.
    fn of(methods: &(impl Iterator<Item = Method> + Clone)) -> Self {
        let any = |is: fn(Method) -> bool| methods.clone().any(is);
        let both = any(Method::is_knowledge) && any(Method::is_possession);
        match (both, any(Method::is_bound_to_the_site)) {
            (true, true) => Self::PhishingResistant,
            (true, false) => Self::Multi,
            (false, _) if methods.clone().next().is_some() => Self::Single,
            (false, _) => Self::Nothing,
        }
    }
}

impl Evidence {
    /// What a session was stored with.
    #[must_use]
    pub fn new(proven: Vec<Proven>) -> Self {
        Self(proven)
    }

    /// What was proven, oldest first.
    #[must_use]
    pub fn proven(&self) -> &[Proven] {
        &self.0
    }

    /// Adds a proof; an older one by the same method is forgotten.
    pub fn add(&mut self, proof: Proven) {
        self.0.retain(|earlier| earlier.method != proof.method);
        self.0.push(proof);
    }

    /// All of it, whenever it was proven.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        Assurance::of(&self.0.iter().map(|proof| proof.method))
    }

    /// The values of the `amr` claim: each once, in the order of the proofs; `mfa` last.
    #[must_use]
    pub fn amr(&self) -> Vec<&'static str> {
        let mut values = Vec::new();
        let of_methods = self.0.iter().flat_map(|proof| proof.method.amr());
        let multi = self.assurance().satisfies(Assurance::Multi);
        for value in of_methods.chain(multi.then_some(&"mfa")) {
            if !values.contains(value) {
                values.push(*value);
            }
        }
        values
    }

    /// When somebody last proved anything: the `auth_time` claim.
    #[must_use]
    pub fn auth_time(&self) -> Option<i64> {
        self.0.iter().map(|proof| proof.at).max()
    }

    /// Whether it is enough at `now`, seconds since 1970. With a `max_age`, only what was proven
    /// within it counts, so a stolen session does not profit from yesterday's second factor.
    #[must_use]
    pub fn meets(&self, demand: Demand, now: i64) -> bool {
        let fresh = self.0.iter().filter(move |proof| {
            demand
                .max_age
                .is_none_or(|age| now.saturating_sub(proof.at) <= age)
        });
        Assurance::of(&fresh.map(|proof| proof.method)).satisfies(demand.assurance)
    }

    /// Which of the methods that somebody has would be enough now, each by itself beside what is
    /// proven already. Empty when all is met, or when nothing of it helps: ask
    /// [`Evidence::meets`].
    #[must_use]
    pub fn owed(&self, demand: Demand, has: &[Method], now: i64) -> Vec<Method> {
        if self.meets(demand, now) {
            return Vec::new();
        }
        let would_do = |method: &&Method| {
            let mut then = self.clone();
            then.add(Proven {
                method: **method,
                at: now,
            });
            then.meets(demand, now)
        };
        has.iter().filter(would_do).copied().collect()
    }
}
