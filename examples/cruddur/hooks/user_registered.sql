-- Gives each new account its public profile, in the registration's own transaction.
insert into users (uuid, handle, display_name, email)
values (:user_id, coalesce(:username, cast(:user_id as text)), :display_name, :email)
