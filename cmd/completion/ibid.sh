# Completes @name@ in bash and zsh.
#   @name@ completion bash >> ~/.bashrc
#   @name@ completion zsh >> ~/.zshrc
if [ -n "${ZSH_VERSION-}" ]; then
  if ! type compdef >/dev/null 2>&1; then
    autoload -Uz compinit && compinit
  fi
  _@name@_complete() {
    local -a found
    found=("${(@f)$(COMP_CWORD=$((CURRENT - 1)) COMP_LINE="$BUFFER" COMP_POINT="$CURSOR" \
      command @name@ completion -- "${words[@]}" 2>/dev/null)}")
    if [ -n "${found[1]-}" ]; then
      compadd -- "${found[@]}"
    else
      _files
    fi
  }
  compdef _@name@_complete @name@
elif type complete >/dev/null 2>&1; then
  _@name@_complete() {
    local cur cword words
    if type _get_comp_words_by_ref >/dev/null 2>&1; then
      _get_comp_words_by_ref -n '=@:' -w words -i cword
    else
      words=("${COMP_WORDS[@]}")
      cword=$COMP_CWORD
    fi
    cur=${words[cword]}
    local IFS=$'\n'
    COMPREPLY=($(COMP_CWORD=$cword COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT \
      command @name@ completion -- "${words[@]}" 2>/dev/null)) || return
    if type __ltrim_colon_completions >/dev/null 2>&1; then
      __ltrim_colon_completions "$cur"
    fi
  }
  complete -o default -F _@name@_complete @name@
fi
