-- @summary  Like a message; a second like of the same message answers 409
-- @param    uuid  uuid  in path
-- @access   authenticated
-- @returns  one
-- @security definer
insert into likes (activity_uuid, user_uuid)
select a.uuid, auth.uid()
  from activities a
 where a.uuid = :uuid and (a.expires_at is null or a.expires_at > now());
update activities set likes_count = likes_count + 1
 where uuid = :uuid and (expires_at is null or expires_at > now())
returning uuid, likes_count
