-- @summary  Home feed: live messages, newest first, each with its author and its replies
-- @param    limit        integer      = 20  min 1 max 50
-- @param    before       timestamptz  null  -- created_at of the last message of the page before
-- @param    before_uuid  uuid         null  -- uuid of the last message of the page before
-- @access   anon, authenticated
-- @returns  many
select a.uuid, a.message, a.likes_count, a.reposts_count, a.replies_count, a.created_at, a.expires_at,
       json_object('uuid', u.uuid, 'handle', u.handle, 'display_name', u.display_name) as author,
       (select json_agg(json_object('uuid', r.uuid, 'message', r.message, 'handle', ru.handle,
                                    'created_at', r.created_at)
                        order by r.created_at, r.uuid)
          from activities r join users ru on ru.uuid = r.user_uuid
         where r.reply_to_activity_uuid = a.uuid) as replies
  from activities a join users u on u.uuid = a.user_uuid
 where a.reply_to_activity_uuid is null
   and (:before is null or (a.created_at, a.uuid) < (:before, :before_uuid))
 order by a.created_at desc, a.uuid desc
 limit :limit
